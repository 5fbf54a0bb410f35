"""Questions as they are given or kept: objects of the classes, or requests as they stand on the wire.

Below: `questions`, `sampling`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcport.core.asking.capabilities import FORM, ROOTS, URL
from mcport.core.asking.urls import check_url
from mcport.core.jsonrpc import JsonObject
from mcport.spec.revisions import Revision

from .form_types import form_of
from .questions import ELICIT, LIST_ROOTS, SAMPLE, ListRoots, action_of
from .sampling import judged, needs_of, read_sample


@dataclass(slots=True)
class Wired:
    """A question that is given as on the wire, or comes back from there; its answer stays as it is, once judged."""

    method: str
    params: JsonObject

    @property
    def text(self) -> str:
        return str(self.params.get("message", self.method))

    def needs(self, revision: Revision) -> Sequence[str]:
        if self.method == LIST_ROOTS:
            return (ROOTS,)
        if self.method == SAMPLE:
            return needs_of(self.params)
        return (URL,) if self.params.get("mode") == "url" else (FORM,)

    def wire(self, revision: Revision, capabilities: JsonObject) -> JsonObject:
        return self.params

    def read(self, answer: JsonObject) -> JsonObject:
        if self.method == LIST_ROOTS:
            ListRoots().read(answer)
        elif self.method == SAMPLE:
            read_sample(answer)
        elif action_of(answer) == "accept" and self.params.get("mode") != "url":
            form_of(self.params["requestedSchema"]).read(answer.get("content"))
        return answer


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
    if method == ELICIT and params.get("mode") != "url":
        _ = form_of(params.get("requestedSchema", ()) or {})
    if method == ELICIT and params.get("mode") == "url":
        check_url(str(params.get("url")))
    if method == SAMPLE:
        _ = judged(params)
    return Wired(method, params)
