"""Answering the questions of a server with what the host's callbacks say, alike in both eras.

A question is judged before a callback sees it, and an answer before the server sees it: rules that are broken are
`ProtocolError`s, whose door decides how they are told. Each question is a matter of its own: callbacks run side by
side, and one that fails fails only its own question. It does not know how questions and answers travel. Below:
`callbacks`, `outbreaks`, `form`, `roots`, `urls` and the facade.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mcport.client.callbacks import Callback, Callbacks
from mcport.core.jsonrpc import JsonObject
from mcport.errors import InternalError, InvalidParams, MethodNotFound, ProtocolError, Rejected
from mcport.session.loop import Loop
from mcport.session.workers import Workers, workers_for
from mcport.spec.methods import METHODS
from mcport.spec.revisions import Revision

from .form import fault_of_answer, fault_of_schema
from .outbreaks import Outbreak, ends_here, pass_on, report
from .proposed import Asker
from .roots import said_roots
from .sampled import fault_of_sampling, said_message
from .urls import warnings_of

if TYPE_CHECKING:
    from mcport.spec.model import Model

ELICIT: Final = "elicitation/create"
SAMPLE: Final = "sampling/createMessage"
LIST_ROOTS: Final = "roots/list"
_QUESTIONS: Final = (ELICIT, SAMPLE, LIST_ROOTS)
MINUTE: Final = 60.0
DONE: Final = "done"
THREADS: Final = 40
"""So many plain callbacks run at a time."""


class CallbackFailed(InternalError):
    """A callback raised, or said something that is no answer. What it was stands in the host's log and as the cause."""


class ByHandOnly(InternalError):
    """The host answers this by hand, and the call was not made so that it could."""


class Visited(dict[str, Any]):
    """The consent to a web page to which the user has been already: nobody need wait until the server says so."""


class Answering:
    """The answers of one client to one server, in the revision that is spoken; at most so many a minute."""

    def __init__(self, callbacks: Callbacks, revision: Revision, asker: Asker, loop: Loop, most: int) -> None:
        self.callbacks = callbacks
        self._revision = revision
        self._asker = asker
        self._loop = loop
        self.most = most
        self._asked: deque[float] = deque(maxlen=most)
        self._workers: Workers | None = None
        self.declared = callbacks.capabilities(revision)
        self._methods = frozenset(self._answerable())

    def _answerable(self) -> Iterator[str]:
        """Which questions have a callback, of those that the revision has."""
        callbacks, name = self.callbacks, self._revision.name
        given = {
            ELICIT: callbacks.given("elicit", self._revision) or (callbacks.elicit_url if self.knows_urls else None),
            SAMPLE: callbacks.given("sample", self._revision),
            LIST_ROOTS: callbacks.find_roots if callbacks.roots is None else callbacks.roots,
        }
        for method, callback in given.items():
            if callback is not None and name in METHODS[method].from_server | METHODS[method].as_input:
                yield method

    @property
    def knows_urls(self) -> bool:
        """Whether a user can be sent to a web page."""
        return self.callbacks.given("elicit_url", self._revision) is not None and self._revision.elicits_url

    async def answer(self, method: str, params: JsonObject, call: str | None = None) -> JsonObject:
        """Return the result of a question; `call` is the method of the request that it belongs to, if that is known.

        Raises `MethodNotFound` without a callback for it, `InvalidParams` naming the field that is at fault,
        `Rejected` if the user said no, `CallbackFailed`, or what `ProtocolError` the callback raised.
        """
        if method not in self._methods:
            raise MethodNotFound(f"Method not found: {method}")
        self._count()
        matter = self._matter(method, params, call)
        if method == LIST_ROOTS and self.callbacks.find_roots is None:
            return matter.read(self.callbacks.roots or ())
        assert matter.callback is not None
        if matter.callback.by_hand:
            raise ByHandOnly("it is answered by hand: call with rounds=0, and give the answer to resume()")
        try:
            return await self._said(matter.callback, matter)
        except Rejected:
            if method != ELICIT:
                raise
            return {"action": "decline"}

    def check(self, method: str, params: JsonObject) -> None:
        """Judge a question that is left to the host, one that no callback answers. Raises `InvalidParams`."""
        if method in _QUESTIONS:
            self._matter(method, params, None, by_hand=True)

    def read(self, method: str, params: JsonObject, answer: object) -> JsonObject:
        """Return the result that an answer stands for, which no callback gave: it may be all that a callback returns.

        Raises ValueError and TypeError for what is no answer to the question, `InvalidParams` for what is no question.
        """
        if method not in _QUESTIONS:
            raise ValueError(f"{method} is no question that can be answered")
        return self._matter(method, params, None, by_hand=True).read(answer)

    def _count(self) -> None:
        """Refuse more questions than anybody can want to answer (client/sampling "Security Considerations")."""
        now = self._loop.time()
        if len(self._asked) == self._asked.maxlen and now - self._asked[0] < MINUTE:
            raise InternalError("too many questions; try again later")
        self._asked.append(now)

    async def ask_host(self, callback: Callback, *arguments: object) -> Any:
        """Call a callback, a plain one in a thread, and return what it says.

        What it raises comes out. What would end more than the callback was asked for (an exit of the program, a
        cancellation that nobody ordered here) comes out as an `Outbreak`.
        """
        try:
            return await self._called(callback, *arguments)
        except BaseException as error:
            if isinstance(error, Exception) or ends_here(error, self._loop):
                raise
            pass_on(error)
            raise Outbreak(f"the {callback.name} callback ended with {error!r:.200}") from error

    async def _called(self, callback: Callback, *arguments: object) -> Any:
        if callback.is_async:
            return await callback.function(*arguments)
        if self._workers is None:
            self._workers = workers_for(self._loop, THREADS)
        said = await self._workers.run(partial(callback.function, *arguments), _Running())
        return await said if isinstance(said, Awaitable) else said

    def close(self) -> None:
        """Let the threads go."""
        if self._workers is not None:
            self._workers.close()
            self._workers = None

    async def _said(self, callback: Callback, matter: _Matter) -> JsonObject:
        """Have a callback answer, and read what it says."""
        arguments = matter.question
        if callback.demands > len(arguments):
            arguments = (*arguments, matter.asker)
        try:
            return matter.read(await self.ask_host(callback, *arguments))
        except ProtocolError:
            raise
        except Exception as error:
            report(f"server '{matter.asker.server}': the {callback.name} callback", error)
            raise CallbackFailed("the client could not answer") from error

    # ---- what is asked

    def _matter(self, method: str, params: JsonObject, call: str | None, *, by_hand: bool = False) -> _Matter:
        """Return what a question comes to. Raises `InvalidParams`."""
        asker = self._asker if call is None else replace(self._asker, call=call)
        if method == LIST_ROOTS:
            read_roots = partial(_said_roots, revision=self._revision.name)
            return _Matter(self.callbacks.find_roots, read_roots, asker)
        if method == SAMPLE:
            return self._sampling(params, asker, with_tools=by_hand)
        mode = params.get("mode", "form") if self._revision.elicits_url else "form"
        if mode not in ("form", "url"):
            raise InvalidParams(f"{ELICIT}: mode: must be 'form' or 'url'")
        callback = self.callbacks.given("elicit" if mode == "form" else "elicit_url", self._revision)
        if callback is None and not by_hand:
            raise InvalidParams(f"{ELICIT}: mode: this client did not declare the mode {mode!r}")
        return (self._form if mode == "form" else self._page)(params, asker)

    def _form(self, params: JsonObject, asker: Asker) -> _Matter:
        schema: Any = params.get("requestedSchema")
        fault = fault_of_schema(schema)
        if fault is not None:
            raise InvalidParams(f"{ELICIT}: {fault}")
        question = _typed("ElicitRequestFormParams", ELICIT, params)
        return _Matter(self.callbacks.elicit, partial(_said_form, schema=schema), asker, (question,))

    def _page(self, params: JsonObject, asker: Asker) -> _Matter:
        question: Any = _typed("ElicitRequestURLParams", ELICIT, params)
        try:
            warnings = warnings_of(question.url)
        except ValueError as error:
            raise InvalidParams(f"{ELICIT}: url: {error}") from None
        if self._revision.identifies_url_elicitations and question.elicitation_id is None:
            raise InvalidParams(f"{ELICIT}: elicitationId: Field required")
        return _Matter(self.callbacks.elicit_url, _said_consent, replace(asker, warnings=warnings), (question,))

    def _sampling(self, params: JsonObject, asker: Asker, *, with_tools: bool) -> _Matter:
        sampling = self.callbacks.sampling
        if not self._revision.samples_with_tools:
            params = {name: value for name, value in params.items() if name not in ("tools", "toolChoice")}
        question: Any = _typed("CreateMessageRequestParams", SAMPLE, params)
        fault = fault_of_sampling(question, with_tools=with_tools or (sampling is not None and sampling.tools))
        if fault is not None:
            raise InvalidParams(f"{SAMPLE}: {fault}")
        model = "unknown" if sampling is None else sampling.model
        return _Matter(
            self.callbacks.sample, partial(said_message, model=model, revision=self._revision), asker, (question,)
        )


@dataclass(frozen=True, slots=True)
class _Matter:
    """A question that was judged: who is asked, how the answer is read, who asks, and what."""

    callback: Callback | None
    read: Callable[[Any], JsonObject]
    asker: Asker
    question: tuple[object, ...] = ()


class _Running:
    """A call in a thread that nobody stops but by not waiting for it."""

    def __init__(self) -> None:
        self.stop: Callable[[], object] | None = None
        self.cancelled = False


def _typed(name: str, method: str, params: JsonObject) -> Model:
    """Return typed parameters. Raises `InvalidParams` naming the field that is at fault."""
    from mcport.spec import types
    from mcport.spec.model import first_fault

    model: type[Model] = getattr(types, name)
    try:
        return model.from_wire(params)
    except ValueError as error:
        raise InvalidParams(f"{method}: {first_fault(error)}") from None  # type: ignore[arg-type]


def _said_form(answer: object, *, schema: JsonObject) -> JsonObject:
    """Return what a callback answered to a form, as an ElicitResult. Raises ValueError or TypeError for no answer."""
    action, content, said = _action(answer, _FORM_ACTIONS)
    if action != "accept":
        return {**said, "action": action}
    fault = fault_of_answer(schema, content)
    if fault is not None:
        raise ValueError(f"the answer does not fit the form: {fault}")
    return {**said, "action": action, "content": content}


def _said_consent(answer: object) -> JsonObject:
    """Return what a callback answered to a web page, as an ElicitResult; it has no content (client/elicitation)."""
    if answer == DONE:
        return Visited(action="accept")
    if isinstance(answer, bool):
        answer = "accept" if answer else "decline"
    action, _, said = _action(answer, _URL_ACTIONS)
    return {**said, "action": action}


def _said_roots(roots: Any, *, revision: str) -> JsonObject:
    return {"roots": said_roots(roots, revision)}


_FORM_ACTIONS: Final = ("decline", "cancel")
_URL_ACTIONS: Final = ("accept", "decline", "cancel")


def _action(answer: object, words: tuple[str, ...]) -> tuple[str, JsonObject, JsonObject]:
    """Return the action, the content, and what else was said."""
    from mcport.spec.types import ElicitResult

    if isinstance(answer, str) and answer in words:
        return answer, {}, {}
    if isinstance(answer, ElicitResult):
        said = answer.to_wire()
        action = said.pop("action")
        if action not in _URL_ACTIONS:
            raise ValueError(f"an action is one of {', '.join(_URL_ACTIONS)}; got {action!r}")
        return action, said.pop("content", {}), said
    if isinstance(answer, Mapping) and words is _FORM_ACTIONS:
        return "accept", dict(answer), {}
    raise TypeError(f"this is no answer: {answer!r:.100}")
