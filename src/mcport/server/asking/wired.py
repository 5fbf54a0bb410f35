"""Questions as they are given or kept: objects of the classes, or requests as they stand on the wire.

Below: `questions`, `sampling`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mcport.core.asking.capabilities import ROOTS
from mcport.core.asking.forms import judge_form
from mcport.core.jsonrpc import JsonObject
from mcport.spec.revisions import Revision

from .questions import ELICIT, LIST_ROOTS, SAMPLE, Elicit, ElicitUrl, ListRoots, action_of
from .sampling import judged, needs_of, read_sample

_MEMBERS: Final = frozenset({"mode", "message", "requestedSchema", "url", "elicitationId"})
"""What an elicitation says itself; whatever else was given goes out with it."""


@dataclass(slots=True)
class Wired:
    """A question that is given as on the wire, or comes back from there; its answer stays as it is, once judged.

    An elicitation goes out in the words of the revision, as the object does that is `meant`.
    """

    method: str
    params: JsonObject
    meant: Elicit[Any] | ElicitUrl | None = None

    @property
    def text(self) -> str:
        return str(self.params.get("message", self.method))

    def needs(self, revision: Revision) -> Sequence[str]:
        if self.method == LIST_ROOTS:
            return (ROOTS,)
        return needs_of(self.params) if self.meant is None else self.meant.needs(revision)

    def wire(self, revision: Revision, capabilities: JsonObject) -> JsonObject:
        if self.meant is None:
            return self.params
        asked = self.meant.wire(revision, capabilities)
        more = {name: value for name, value in self.params.items() if name not in _MEMBERS}
        return {**more, **{name: asked[name] for name in asked if name != "mode" or "mode" in self.params}}

    def read(self, answer: JsonObject) -> JsonObject:
        fit(kept_of(self), answer)
        return answer


def kept_of(question: Any) -> JsonObject:
    """Return what is kept of a question so that its answer can be judged: its method, and all of its form."""
    meant = question.meant if isinstance(question, Wired) else question
    kept: JsonObject = {"method": question.method}
    return {**kept, "form": meant.form.schema} if isinstance(meant, Elicit) else kept


def fit(kept: Mapping[str, Any], answer: JsonObject) -> None:
    """Hold an answer against what was kept of its question. Raises `Unfit`."""
    if kept["method"] == LIST_ROOTS:
        ListRoots().read(answer)
    elif kept["method"] == SAMPLE:
        read_sample(answer)
    elif action_of(answer) == "accept" and "form" in kept:
        judge_form(kept["form"], answer.get("content"))


def question_of(value: object, key: str) -> Any:
    """Return what was given as a question: one of the classes, or a request as on the wire.

    Raises TypeError for anything else, ValueError for a method that asks nothing and for a question that breaks a rule.
    """
    if not isinstance(value, Mapping):
        if not hasattr(value, "wire"):
            raise TypeError(f"{key!r} is no question: give Elicit, ElicitUrl, Sample or ListRoots")
        return value
    method, params = value.get("method"), value.get("params") or {}
    if method not in (ELICIT, SAMPLE, LIST_ROOTS) or not isinstance(params, dict):
        raise ValueError(f"{key!r}: a question is one of {ELICIT}, {SAMPLE} and {LIST_ROOTS}, not {method!r}")
    if method == ELICIT:
        return Wired(method, params, _elicitation(params, key))
    if method == SAMPLE:
        _ = judged(params)
    return Wired(method, params)


def _elicitation(params: JsonObject, key: str) -> Elicit[Any] | ElicitUrl:
    message, mode = params.get("message"), params.get("mode", "form")
    if not isinstance(message, str):
        raise ValueError(f"{key!r}: an elicitation has a message that says what for")
    if mode == "url":
        return ElicitUrl(message, str(params.get("url")), params.get("elicitationId"))
    if mode != "form":
        raise ValueError(f"{key!r}: the mode of an elicitation is 'form' or 'url', not {mode!r:.60}")
    return Elicit(message, params.get("requestedSchema") or {})
