"""What is made of the checks of one scenario: more strictly than the suite counts, which overlooks warnings.

It knows the shape of checks and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .suite import Check, Scenario

EVERYWHERE: Final = "wire-schema"
"""What the ids of checks begin with that every scenario has, whatever else it looks at."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a scenario went: `complaints` is empty where all is well."""

    scenario: Scenario
    counts: Counter[str]
    complaints: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not self.complaints

    def lines(self) -> list[str]:
        """Return what is to be said of it: a line, and one for each complaint."""
        word = "ok" if self.good else "FAILED"
        kinds = ", ".join(f"{number} {kind.lower()}" for kind, number in sorted(self.counts.items()))
        required = "" if self.scenario.required else " (not required)"
        head = f"{self.scenario.revision} {self.scenario.side} {self.scenario.name:<46} {word:<6} {kinds}{required}"
        return [head, *(f"    {complaint}" for complaint in self.complaints)]


def judge(scenario: Scenario, checks: Sequence[Check] | None, more: Sequence[str] = ()) -> Verdict:
    """Judge a scenario by its checks: no failure, no warning, and something that succeeded.

    `more` is what else there is to complain of.
    """
    counts = Counter(str(check["status"]) for check in checks or ())
    bad = [check for check in checks or () if check["status"] in ("FAILURE", "WARNING")]
    complaints = [*map(_said, bad), *more]
    if checks is None:
        complaints.append("the suite left no result")
    elif not complaints and not any(map(_own_success, checks)):
        complaints.append("no check of its own succeeded")
    return Verdict(scenario, counts, tuple(complaints))


def _said(check: Check) -> str:
    text = " ".join(str(check.get("errorMessage") or check.get("description") or "").split())
    return f"{check['status']} {check['id']}: {text:.300}"


def _own_success(check: Check) -> bool:
    return check["status"] == "SUCCESS" and not str(check["id"]).startswith(EVERYWHERE)
