"""The official suite: what it asks of either side in a revision, and one run of it.

It knows the suite's command line and the files that it leaves; it refuses to know who is tested. Below: Node.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from tests.peers import places

Side: TypeAlias = Literal["server", "client"]
Check: TypeAlias = dict[str, Any]

NOT_OURS: Final = (
    "tasks-",
    "sep-2640-",
)
"""What the names of scenarios begin with that belong to extensions."""

OLDER: Final = {"2025-03-26": ("auth/2025-03-26-oauth-metadata-backcompat", "auth/2025-03-26-oauth-endpoint-fallback")}
"""What the suite asks of clients in a revision for which it has no list of its own."""

HOW: Final = "run python tests/peers/install.py conformance"

_STAMP: Final = re.compile(r"-\d{4}-\d\d-\d\dT[\d-]+Z$")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_ITEM: Final = re.compile(r"^ +- (\S+)(?: \[(server|client)\])?$")


class SuiteFailed(RuntimeError):
    """The suite could not be run; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that the suite tests in a revision. `required` is what the revision is judged by."""

    side: Side
    name: str
    revision: str
    required: bool


class Suite:
    """The installed suite. Raises `SuiteFailed` where it, or a Node for it, is missing."""

    def __init__(self) -> None:
        node, script, version = places.node(), places.conformance_script(), places.npm_version(places.CONFORMANCE)
        if node is None:
            raise SuiteFailed(f"there is no node: {HOW}")
        if version != places.CONFORMANCE[1]:
            raise SuiteFailed(f"{places.CONFORMANCE[0]} {places.CONFORMANCE[1]} is not installed: {HOW}")
        self.version = version
        self._command = [str(node), str(script)]

    def scenarios(self, revision: str) -> list[Scenario]:
        """Return what is asked in a revision, without what is not ours."""
        if revision in OLDER:
            return [Scenario("client", name, revision, required=False) for name in OLDER[revision]]
        found = list(listed(self.run(["list", "--requirements", revision], 60), revision))
        if not found:
            raise SuiteFailed(f"the suite lists nothing for {revision}")
        return [each for each in found if not each.name.startswith(NOT_OURS)]

    def run(self, arguments: Sequence[str], seconds: float) -> str:
        """Run the suite once and return what it printed; raises `SuiteFailed` when it takes longer than that."""
        command = [*self._command, *arguments]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            raise SuiteFailed(f"not done after {seconds:.0f} s: {' '.join(arguments)}") from None
        return _COLOUR.sub("", done.stdout.decode("utf-8", "replace"))


def listed(text: str, revision: str) -> Iterator[Scenario]:
    """Return the scenarios of a list as the suite prints it."""
    side: Side | None = None
    for line in text.splitlines():
        if line.startswith(("Server scenarios", "Client scenarios")):
            side = "server" if line.startswith("Server") else "client"
        elif line.startswith("Run and reported"):
            side = None
        elif item := _ITEM.match(line):
            where: Side = "server" if (side or item[2]) == "server" else "client"
            yield Scenario(where, item[1], revision, required=side is not None)


def checks_of(folder: Path) -> dict[str, list[Check]]:
    """Return the checks of each scenario of a run, by the name that the suite gave it."""
    files = folder.rglob("checks.json")
    return {_STAMP.sub("", file.parent.relative_to(folder).as_posix()): json.loads(file.read_text()) for file in files}
