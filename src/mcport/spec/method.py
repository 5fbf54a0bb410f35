"""One method of the protocol: what goes with it, and who may send it in which revision.

A method is data; `methods` has the table. Nothing sits below, not even pydantic: types go by the names that
`mcport.spec.types` loads them under.
"""

from __future__ import annotations

from typing import Literal

from mcport.record import Record


class Method(Record, kw_only=True):
    """A request or a notification. The sets hold names of revisions.

    `params` and `result` name types of the facade; `elicitation/create` alone has a union for its parameters.
    `from_client` and `from_server` are the revisions in which that side may send the method as a JSON-RPC message;
    `as_input` those in which it travels inside an `InputRequiredResult`; `may_ask` those in which the answer may be
    one. `capability` is what the receiver must have declared, as a path such as `resources.subscribe`, in the
    revisions of `capability_in`: a capability of the server for requests of clients, and the other way round.
    """

    name: str
    kind: Literal["request", "notification"]
    params: str | None
    result: str | None
    from_client: frozenset[str] = frozenset()
    from_server: frozenset[str] = frozenset()
    as_input: frozenset[str] = frozenset()
    may_ask: frozenset[str] = frozenset()
    capability: str | None = None
    capability_in: frozenset[str] = frozenset()

    def needs(self, revision: str) -> str | None:
        """Return the capability that the receiver must have declared in `revision`, or None."""
        return self.capability if revision in self.capability_in else None
