"""The question to the client's model: made from what authors write, checked by the rules, read when it is answered.

Below: `core.asking.samples`, the facade types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypedDict

from mcport.core.asking.capabilities import SAMPLING, SAMPLING_CONTEXT, SAMPLING_TOOLS, declares
from mcport.core.asking.form_values import Unfit
from mcport.core.asking.samples import check_messages, fitted_messages
from mcport.core.jsonrpc import JsonObject
from mcport.core.soundness import check_content
from mcport.spec.model import Model, first_fault
from mcport.spec.revisions import Revision

from .questions import SAMPLE

if TYPE_CHECKING:
    from mcport.spec.types import CreateMessageResult, ModelPreferences, SamplingMessage, Tool, ToolChoice

Said: TypeAlias = "str | SamplingMessage | CreateMessageResult | Mapping[str, Any]"
"""One message: text of the user, a message, an earlier answer of the model, or a message as on the wire."""

MAX_TOKENS: Final = 1024


class SampleOptions(TypedDict, total=False):
    """What may be said beside the messages."""

    max_tokens: int
    system_prompt: str | None
    temperature: float | None
    stop_sequences: list[str] | None
    model_preferences: ModelPreferences | Mapping[str, Any] | Sequence[str] | str | None
    include_context: Literal["none", "thisServer", "allServers"] | None
    metadata: JsonObject | None
    tools: Sequence[Tool | Mapping[str, Any]] | None
    tool_choice: ToolChoice | Mapping[str, Any] | Literal["auto", "required", "none"] | None


@dataclass(slots=True)
class Sample:
    """Ask the client's model to go on with a conversation.

    `messages` are text of the user or a list of messages; `max_tokens` bounds the answer. `model_preferences` may be a
    name or a list of names that would suit. `tools` need a client that declared `sampling.tools`;
    `include_context` other than "none" goes only to clients that declared `sampling.context`, where the revision has
    that. Raises ValueError where the messages break the rules of the protocol.
    See client/sampling of the specification.
    """

    messages: Said | Sequence[Said]
    max_tokens: int = MAX_TOKENS
    system_prompt: str | None = None
    temperature: float | None = None
    stop_sequences: list[str] | None = None
    model_preferences: ModelPreferences | Mapping[str, Any] | Sequence[str] | str | None = None
    include_context: Literal["none", "thisServer", "allServers"] | None = None
    metadata: JsonObject | None = None
    tools: Sequence[Tool | Mapping[str, Any]] | None = None
    tool_choice: ToolChoice | Mapping[str, Any] | Literal["auto", "required", "none"] | None = None
    method: str = field(default=SAMPLE, init=False)
    params: JsonObject = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.params = judged(self._said())

    def _said(self) -> JsonObject:
        """Return the parameters as the author gave them, for the facade type to judge."""
        given = self.messages
        said = [given] if isinstance(given, str | Mapping | Model) else list(given)
        choice = self.tool_choice
        return {
            "messages": [_message(each) for each in said],
            "max_tokens": self.max_tokens,
            "system_prompt": self.system_prompt,
            "temperature": self.temperature,
            "stop_sequences": self.stop_sequences,
            "model_preferences": _preferences(self.model_preferences),
            "include_context": self.include_context,
            "metadata": self.metadata,
            "tools": None if self.tools is None else [_plain(each) for each in self.tools],
            "tool_choice": {"mode": choice} if isinstance(choice, str) else _plain(choice),
        }

    @property
    def text(self) -> str:
        last = self.params["messages"][-1]["content"] if self.params["messages"] else ""
        return str(last.get("text", "")) if isinstance(last, dict) else SAMPLE

    def needs(self, revision: Revision) -> Sequence[str]:
        return needs_of(self.params)

    def wire(self, revision: Revision, capabilities: JsonObject) -> JsonObject:
        found = {**self.params, "messages": fitted_messages(self.params["messages"], revision)}
        if revision.samples_with_tools and not declares(capabilities, SAMPLING_CONTEXT, revision):
            # A client that did not declare it would ignore it at best (client/sampling "Capabilities").
            found.pop("includeContext", None)
        return found

    def read(self, answer: JsonObject) -> CreateMessageResult:
        return read_sample(answer)


def judged(said: JsonObject) -> JsonObject:
    """Return parameters in the words of the newest revision. Raises ValueError where they break its rules."""
    from pydantic import ValidationError

    from mcport.spec.types import CreateMessageRequestParams

    try:
        question = CreateMessageRequestParams.model_validate(said)
        check_content(question)
    except ValidationError as error:
        raise ValueError(f"sampling: {first_fault(error)}") from None
    except ValueError as error:
        raise ValueError(f"sampling: {error}") from None
    params: JsonObject = question.to_wire()
    check_messages(params["messages"])
    return params


def needs_of(params: JsonObject) -> Sequence[str]:
    """Return what a client must have declared to be asked this."""
    return (SAMPLING, SAMPLING_TOOLS) if "tools" in params or "toolChoice" in params else (SAMPLING,)


def read_sample(answer: JsonObject) -> CreateMessageResult:
    """Return the message that a model wrote. Raises `Unfit`."""
    from pydantic import ValidationError

    from mcport.spec.types import CreateMessageResult

    try:
        return CreateMessageResult.from_wire(answer)
    except ValidationError as error:
        raise Unfit(f"is no message of a model ({first_fault(error)})") from None


def _message(value: Any) -> Any:
    """Return a message for the facade type to judge."""
    if isinstance(value, str):
        return {"role": "user", "content": {"type": "text", "text": value}}
    found = value.to_wire() if isinstance(value, Model) else dict(value)
    content = found.get("content")
    if isinstance(content, str):
        found["content"] = {"type": "text", "text": content}
    elif isinstance(content, list):
        found["content"] = [_plain(each) for each in content]
    else:
        found["content"] = _plain(content)
    return {key: found[key] for key in ("role", "content", "_meta") if key in found}


def _preferences(value: Any) -> Any:
    """Return preferences; names alone are hints, the most wanted first."""
    if value is None or isinstance(value, Mapping | Model):
        return _plain(value)
    names = [value] if isinstance(value, str) else value
    return {"hints": [{"name": name} for name in names]}


def _plain(value: Any) -> Any:
    return value.to_wire() if isinstance(value, Model) else value
