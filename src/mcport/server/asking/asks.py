"""What a handler may ask, as it stands on its `Context`.

Thin methods: the bodies live in the rest of this room, loaded when something is first asked. Below: `desk`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from mcport.core.dialects.contract import Admitted
from mcport.core.jsonrpc import JsonObject
from mcport.errors import InternalError
from mcport.session.exchange import Exchange

if TYPE_CHECKING:
    from mcport.spec.types import CreateMessageResult, Root

    from .asker import Asker
    from .desk import Desk
    from .posing import Check
    from .questions import Asking, Elicited
    from .reception import Reception
    from .sampling import Said, SampleOptions

T = TypeVar("T")


class Asks:
    """The half of the `Context` that asks back."""

    __slots__ = ()

    _exchange: Exchange
    _admitted: Admitted

    @overload
    async def elicit(self, message: str, schema: None = None, *, key: str | None = None) -> Elicited[None]: ...
    @overload
    async def elicit(self, message: str, schema: type[T], *, key: str | None = None) -> Elicited[T]: ...
    @overload
    async def elicit(self, message: str, schema: Any, *, key: str | None = None) -> Elicited[Any]: ...
    async def elicit(self, message: str, schema: Any = None, *, key: str | None = None) -> Elicited[Any]:
        """Ask the user to fill in a form, and return what came of it: `action` and, if accepted, `data`.

        `schema` is a pydantic model, a dataclass, a TypedDict, a plain type such as `int` or a Literal, a JSON Schema,
        or None for a yes or no. `key` names the question where its text changes from one run to the next: in the newest
        revision the handler is run again with the answer, and what it did before the question happens again, unless it
        stands in `once`. Raises TypeError for what a form cannot ask, ValueError where only those of this revision
        cannot (a choice of several, before 2025-11-25), `MissingCapability` where the client did not declare forms; in
        the handshake era `RemoteError`, `InvalidAnswer`, `Timeout` or `ConnectionLost`. See client/elicitation of the
        specification.
        """
        from .questions import Elicit

        found: Elicited[Any] = await self._asker().ask(Elicit(message, schema), key)
        return found

    async def elicit_url(
        self,
        message: str,
        url: str,
        *,
        until: Check | None = None,
        key: str | None = None,
        elicitation_id: str | None = None,
    ) -> Elicited[None]:
        """Send the user to a URL, for what must not pass through the client: passwords, payments, other services.

        Accepting is a promise to go there, no more. With `until`, a function or coroutine function that says whether
        all is done (it may wait for a while), the user is asked again until it says so. `elicitation_id` is for
        `Server.complete_elicitation`. Raises ValueError for what is no URL to open, otherwise as `elicit`.
        See client/elicitation of the specification, "URL Mode Elicitation Requests".
        """
        from .questions import ElicitUrl

        found: Elicited[None] = await self._asker().ask(ElicitUrl(message, url, elicitation_id), key, until)
        return found

    async def sample(
        self, messages: Said | Sequence[Said], *, key: str | None = None, **options: Unpack[SampleOptions]
    ) -> CreateMessageResult:
        """Have the client's model go on with a conversation, and return the message that it wrote.

        `messages` are text of the user or a list of messages. Options: `max_tokens` (1024), `system_prompt`,
        `temperature`, `stop_sequences`, `model_preferences`, `include_context`, `metadata`, `tools`, `tool_choice`.
        Raises ValueError where messages break the protocol's rules or the revision cannot say them, otherwise as
        `elicit`. See client/sampling of the specification.
        """
        from .sampling import Sample

        found: CreateMessageResult = await self._asker().ask(Sample(messages, **options), key)
        return found

    async def list_roots(self, *, key: str | None = None) -> list[Root]:
        """Return the directories and files that the client works in. Raises as `elicit`. See client/roots."""
        from .questions import ListRoots

        found: list[Root] = await self._asker().ask(ListRoots(), key)
        return found

    async def ask_all(self, **questions: Asking) -> dict[str, Any]:
        """Ask several questions at once, in one round, and return the answers under their names.

        Each is an `Elicit`, `ElicitUrl`, `Sample` or `ListRoots`. Raises as the single ones do.
        """
        return await self._asker().ask_all(questions)

    @overload
    async def once(
        self, key: str, function: Callable[[], Awaitable[T]], type: Any = None, *, one_time: bool = False
    ) -> T: ...
    @overload
    async def once(self, key: str, function: Callable[[], T], type: Any = None, *, one_time: bool = False) -> T: ...
    async def once(self, key: str, function: Callable[[], Any], type: Any = None, *, one_time: bool = False) -> Any:
        """Do something once although the handler may be run several times, and return its value.

        The value travels sealed through the client: it must be JSON, and no credentials. It is typed as `type` says, or
        the function's return annotation. A client that sends an old state again makes it happen again, unless
        `one_time` is set, which uses up a name in a store. Raises ValueError for a key used twice in a call, TypeError
        for a value that cannot be JSON.
        """
        from .keeping import once

        asker = self._asker()
        return await once(asker, key, function, type, self._desk().use_up if one_time else None)

    @property
    def replaying(self) -> bool:
        """Whether answers of earlier rounds are still being given again: what is said now was said before."""
        asker: Asker | None = self._exchange.asker  # type: ignore[assignment]
        return asker is not None and asker.rounds.replaying

    @property
    def input_responses(self) -> Mapping[str, JsonObject]:
        """The answers to what this handler asked by returning `InputRequired`: those that fit, as on the wire."""
        asker: Asker | None = self._exchange.asker  # type: ignore[assignment]
        return {} if asker is None else asker.given

    @property
    def request_state(self) -> str | None:
        """The state that this handler returned with `InputRequired`; nobody can have changed it."""
        asker: Asker | None = self._exchange.asker  # type: ignore[assignment]
        return None if asker is None else asker.rounds.state

    def _check(self) -> None:
        """Raise the stop again where this run is over because it asked."""
        asker: Asker | None = self._exchange.asker  # type: ignore[assignment]
        if asker is not None:
            asker.check()

    def _asker(self) -> Asker:
        return self._desk().asker(self._exchange, self._admitted)

    def _desk(self) -> Desk:
        reception: Reception | None = getattr(self._exchange.conversation, "reception", None)
        if reception is None:
            raise InternalError("nothing can be asked on this connection")
        return reception.desk
