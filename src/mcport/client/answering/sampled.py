"""Sampling: what may be asked of a model, and how what it said is sent (client/sampling).

Below: `core.soundness`, the facade.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mcport.core.jsonrpc import JsonObject
from mcport.core.soundness import check_content
from mcport.spec.revisions import Revision

if TYPE_CHECKING:
    from mcport.spec.types import CreateMessageRequestParams, SamplingMessage


def fault_of_sampling(question: CreateMessageRequestParams, *, with_tools: bool) -> str | None:
    """Return what is wrong with a request for a message, None if nothing is."""
    if not with_tools and (question.tools is not None or question.tool_choice is not None):
        return "tools: this client did not declare sampling.tools"
    open_uses: set[str] = set()
    for number, message in enumerate(question.messages):
        fault, open_uses = _fault_of_message(message, open_uses)
        if fault is not None:
            return f"messages.{number}: {fault}"
    if open_uses:
        return f"messages: no result for the use of a tool, {min(open_uses)!r:.60}"
    return None


def _fault_of_message(message: SamplingMessage, open_uses: set[str]) -> tuple[str | None, set[str]]:
    """Return a fault or None, and which uses of tools are to be answered by the message that follows.

    2025-11-25 client/sampling, "Message Content Constraints".
    """
    content = message.content if isinstance(message.content, list) else [message.content]
    results = {block.tool_use_id for block in content if block.type == "tool_result"}
    if results and (message.role != "user" or any(block.type != "tool_result" for block in content)):
        return "results of tools stand alone in a message of the user", set()
    if results != open_uses:
        odd = min(results ^ open_uses)
        return (f"no result for the use of a tool, {odd!r:.60}" if odd in open_uses else f"no use {odd!r:.60}"), set()
    uses = {block.id for block in content if block.type == "tool_use"}
    if uses and message.role != "assistant":
        return "only the assistant uses tools", set()
    return None, uses


def said_message(answer: Any, *, model: str, revision: Revision) -> JsonObject:
    """Return what a callback answered, as a CreateMessageResult. Raises ValueError or TypeError for no answer."""
    from mcport.spec.types import CreateMessageResult, TextContent

    if isinstance(answer, str):
        content = TextContent(text=answer)
        answer = CreateMessageResult(role="assistant", content=content, model=model, stop_reason="endTurn")
    elif isinstance(answer, Mapping):
        answer = CreateMessageResult.model_validate(answer)
    if not isinstance(answer, CreateMessageResult):
        raise TypeError(f"a model's answer is a text or a CreateMessageResult, not {answer!r:.100}")
    fault = _fault_in(answer.content, revision)
    if fault is not None:
        raise ValueError(f"the answer cannot be said in protocol version {revision.name}: {fault}")
    check_content(answer)
    said: JsonObject = answer.to_wire(revision.name)
    if not revision.samples_with_tools and isinstance(said["content"], list):
        said["content"] = said["content"][0]
    return said


def _fault_in(content: Any, revision: Revision) -> str | None:
    blocks = content if isinstance(content, list) else [content]
    if not revision.samples_with_tools and len(blocks) != 1:
        return "it has no lists of content"
    for block in blocks:
        if block.type == "audio" and not revision.has_audio:
            return "it has no audio"
        if block.type in ("tool_use", "tool_result") and not revision.samples_with_tools:
            return "it has no tools in sampling"
    return None
