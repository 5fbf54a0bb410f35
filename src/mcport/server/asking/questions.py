"""Three of the questions that a server may ask: what each is on the wire of a revision, and how its answer is read.
`sampling` has the fourth.

Below: `core.asking` for the rules, the facade types for values.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Protocol, TypeAlias

from typing_extensions import TypeVar

from mcport.core.asking.capabilities import FORM, ROOTS, URL
from mcport.core.asking.form_values import Unfit
from mcport.core.asking.forms import fitted_form
from mcport.core.asking.urls import check_url, is_file_uri
from mcport.core.jsonrpc import JsonObject
from mcport.spec.revisions import Revision

from .form_types import Form, form_of

if TYPE_CHECKING:
    from mcport.spec.types import Root

log: Final = logging.getLogger("mcport.server")

ELICIT: Final = "elicitation/create"
SAMPLE: Final = "sampling/createMessage"
LIST_ROOTS: Final = "roots/list"

Action: TypeAlias = Literal["accept", "decline", "cancel"]

T = TypeVar("T", default=Any)


@dataclass(slots=True)
class Accepted(Generic[T]):
    """The user filled the form in, or agreed; `data` is what was filled in.

    `elicitation_id` names a URL elicitation where the revision knows such names.
    """

    data: T
    elicitation_id: str | None = None
    action: Literal["accept"] = field(default="accept", init=False)
    accepted: Literal[True] = field(default=True, init=False)


@dataclass(slots=True)
class Refused:
    """The user said no (`decline`), or closed the question without a choice (`cancel`)."""

    action: Literal["decline", "cancel"]
    elicitation_id: str | None = None
    data: None = field(default=None, init=False)
    accepted: Literal[False] = field(default=False, init=False)


Elicited: TypeAlias = Accepted[T] | Refused
"""What a user did with a question. `if answer.accepted:` tells type checkers that there is `data`."""


class Asking(Protocol):
    """A question, as whoever sends it sees it."""

    @property
    def method(self) -> str: ...

    @property
    def text(self) -> str:
        """The question in words, for logs."""
        ...

    def needs(self, revision: Revision) -> Sequence[str]:
        """Return the capabilities that the client must have declared."""
        ...

    def wire(self, revision: Revision, capabilities: JsonObject) -> JsonObject:
        """Return the parameters as the revision has them. Raises ValueError for what it cannot say."""
        ...

    def read(self, answer: JsonObject) -> Any:
        """Return the typed answer. Raises `Unfit`."""
        ...


@dataclass(slots=True)
class Elicit(Generic[T]):
    """Ask the user to fill in a form.

    `schema` is a pydantic model, a dataclass, a TypedDict, a plain type that a form can ask for (str, int, float, bool,
    an Enum or Literal of strings, a list of these for a choice of several), a JSON Schema as a dict, or None for a
    yes or no. Raises TypeError, naming the field, for anything nested. Never ask for passwords or keys in a form.
    See client/elicitation of the specification.
    """

    message: str
    schema: type[T] | Any = None
    method: str = field(default=ELICIT, init=False)
    form: Form = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.message:
            raise ValueError("an elicitation has a message that says what for")
        self.form = form_of(self.schema)

    @property
    def text(self) -> str:
        return self.message

    def needs(self, revision: Revision) -> Sequence[str]:
        return (FORM,)

    def wire(self, revision: Revision, capabilities: JsonObject) -> JsonObject:
        asked = {"message": self.message, "requestedSchema": fitted_form(self.form.schema, revision)}
        return {"mode": "form", **asked} if revision.elicits_url else asked

    def read(self, answer: JsonObject) -> Elicited[T]:
        action = action_of(answer)
        if action != "accept":
            return Refused(action)
        return Accepted(self.form.read(answer.get("content")))


@dataclass(slots=True)
class ElicitUrl:
    """Send the user to a URL, for what must not pass through the client.

    Accepting says that the user agreed to go there, not that anything was done. `elicitation_id` names it where the
    revision knows such names; without one a random name is made there. Raises ValueError for what is no URL to open.
    See client/elicitation of the specification, "URL Mode Elicitation Requests".
    """

    message: str
    url: str
    elicitation_id: str | None = None
    method: str = field(default=ELICIT, init=False)

    def __post_init__(self) -> None:
        if not self.message:
            raise ValueError("an elicitation has a message that says what for")
        if not check_url(self.url):
            log.warning("a user is sent to a URL that is not https: %.200s", self.url)

    @property
    def text(self) -> str:
        return self.message

    def needs(self, revision: Revision) -> Sequence[str]:
        return (URL,)

    def wire(self, revision: Revision, capabilities: JsonObject) -> JsonObject:
        asked = {"mode": "url", "message": self.message, "url": self.url}
        return {**asked, "elicitationId": self._named()} if revision.identifies_url_elicitations else asked

    def _named(self) -> str:
        if self.elicitation_id is None:
            import uuid

            self.elicitation_id = str(uuid.uuid4())
        return self.elicitation_id

    def read(self, answer: JsonObject) -> Elicited[None]:
        action = action_of(answer)
        if action == "accept":
            return Accepted(None, self.elicitation_id)
        return Refused(action, self.elicitation_id)


@dataclass(slots=True)
class ListRoots:
    """Ask which directories and files the client works in. See client/roots of the specification."""

    method: str = field(default=LIST_ROOTS, init=False)

    @property
    def text(self) -> str:
        return "roots"

    def needs(self, revision: Revision) -> Sequence[str]:
        return (ROOTS,)

    def wire(self, revision: Revision, capabilities: JsonObject) -> JsonObject:
        return {}

    def read(self, answer: JsonObject) -> list[Root]:
        from pydantic import ValidationError

        from mcport.spec.types import ListRootsResult

        try:
            roots = ListRootsResult.from_wire(answer).roots
        except ValidationError:
            raise Unfit("is no list of roots") from None
        if not all(is_file_uri(root.uri) for root in roots):
            raise Unfit("has a root that is no file:// URI")
        return roots


def action_of(answer: JsonObject) -> Action:
    """Return what a user did. Raises `Unfit`."""
    actions: tuple[Action, ...] = ("accept", "decline", "cancel")
    for action in actions:
        if answer.get("action") == action:
            return action
    raise Unfit("action must be accept, decline or cancel")
