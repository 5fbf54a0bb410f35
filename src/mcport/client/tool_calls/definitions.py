"""The tools of a server as it listed them: what each promises to return, and whether one became another later.

A host shows a definition to a person or a model, who then trust it; a server that says something else under the same
name later is reported. Definitions are kept as they came, over connections too, because a server that was started again
may have been changed. It sends nothing. Below: `outputs`, pydantic's JSON.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from mcport.core.dialects.contract import TOOLS_CHANGED
from mcport.core.events import Told
from mcport.core.jsonrpc import JsonObject

from .outputs import Output

log: Final = logging.getLogger("mcport.client")

MOST_BYTES: Final = 64 * 1024 * 1024
"""So many bytes of definitions are kept; tools beyond are not compared."""


@dataclass(frozen=True, slots=True)
class DefinitionChanged:
    """A tool is defined otherwise than when it was listed before.

    `parts` are the members that differ, such as "description" or "inputSchema"; `before` and `after` are the
    definitions as they came.
    """

    server: str
    name: str
    parts: tuple[str, ...]
    before: JsonObject = field(repr=False)
    after: JsonObject = field(repr=False)

    def __str__(self) -> str:
        return (
            f"server '{self.server}' changed the tool {self.name!r:.200} since it was listed: {', '.join(self.parts)}"
        )


class Definitions:
    """What one server's tools are, as far as they were listed."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._texts: dict[str, bytes] = {}
        self._size = 0
        self._full = False
        self._outputs: dict[str, Output | None] = {}
        self._current: set[str] = set()
        self.spoilt = 0
        self.complete = False
        """Whether the whole list was walked through since it was last spoilt."""

    def note(self, tools: Iterable[object], spoilt: int) -> list[DefinitionChanged]:
        """Take the definitions of one page, and return those that are not what they were.

        `spoilt` is what it was when the page was asked for: one that may be older than a change says nothing of today.
        """
        changed: list[DefinitionChanged] = []
        for tool in tools:
            name = tool.get("name") if isinstance(tool, dict) else None
            if isinstance(tool, dict) and isinstance(name, str):
                changed += self._noted(name, tool)
                if spoilt == self.spoilt and name in self._texts:
                    self._current.add(name)
        return changed

    def output_of(self, name: str) -> Output | None:
        """Return what a tool promises to return; None if it promises nothing, or was not listed since it may have
        changed.
        """
        if name not in self._current:
            return None
        if name not in self._outputs:
            schema = _read(self._texts[name]).get("outputSchema")
            self._outputs[name] = Output(self._server, name, schema) if isinstance(schema, dict) else None
        return self._outputs[name]

    def definition_of(self, name: str) -> JsonObject | None:
        """Return what a tool is, as it was on the wire; None if it was not listed since it may have changed."""
        text = self._texts.get(name) if name in self._current else None
        return None if text is None else _read(text)

    def knows(self, name: str) -> bool:
        """Whether a tool was listed, and nothing has been heard of a change since."""
        return name in self._current

    def hear(self, told: Told) -> None:
        """Trust no promise any more once the server says that its tools are others."""
        if told.method == TOOLS_CHANGED:
            self.spoil()

    def spoil(self) -> None:
        """Trust no promise any more: the tools may be others now. What they were is remembered all the same."""
        self.spoilt += 1
        self.complete = False
        self._current.clear()
        self._outputs.clear()

    def _noted(self, name: str, tool: JsonObject) -> list[DefinitionChanged]:
        text, before = _written(tool), self._texts.get(name)
        if text == before:
            return []
        self._outputs.pop(name, None)
        self._keep(name, text, before or b"")
        parts = () if before is None else _parts(_read(before), tool)
        return [DefinitionChanged(self._server, name, parts, _read(before or b""), _read(text))] if parts else []

    def _keep(self, name: str, text: bytes, before: bytes) -> None:
        size = self._size - len(before) + len(text)
        if size <= MOST_BYTES:
            self._texts[name], self._size = text, size
            return
        if self._texts.pop(name, None) is not None:
            self._size -= len(before)
            self._current.discard(name)
        self._overflow()

    def _overflow(self) -> None:
        if not self._full:
            self._full = True
            log.warning("server '%s' lists too many tools; some are not compared with what they were", self._server)


def _parts(before: JsonObject, after: JsonObject) -> tuple[str, ...]:
    """Return the members that differ. Metadata may change with every listing, and order means nothing."""
    names = [name for name in {**before, **after} if name != "_meta"]
    return tuple(name for name in names if _canonical(before, name) != _canonical(after, name))


def _canonical(definition: JsonObject, name: str) -> str | None:
    import json

    return json.dumps(definition[name], sort_keys=True) if name in definition else None


def _written(value: object) -> bytes:
    from pydantic_core import to_json

    return to_json(value)


def _read(text: bytes) -> dict[str, Any]:
    from jiter import from_json

    found: dict[str, Any] = from_json(text)
    return found
