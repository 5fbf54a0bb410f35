"""A client's user, model and roots for tests: answers what a server asks, in either era, without any help of mcport.

`served(wire, method, params, answer)` sends a request and sees it through to its end, whatever is asked on the way.
`answer` is given each question as it stood on the wire and returns the result, or an `Exception` for an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tests.server.wire import NEW, Json, Wire

Answer: TypeAlias = Callable[[Json], Any]

ELICITS: Json = {"elicitation": {"form": {}, "url": {}}}
EVERYTHING: Json = {**ELICITS, "sampling": {"tools": {}, "context": {}}, "roots": {}}

SAID = {"role": "assistant", "content": {"type": "text", "text": "Paris"}, "model": "m"}
ROOTS = {"roots": [{"uri": "file:///home/ada", "name": "home"}]}


class Refused(Exception):
    """The client answers a question with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message}


def accept(**content: Json) -> Json:
    """What a user who fills in a form answers."""
    return {"action": "accept", "content": content}


def usual(question: Json) -> Json:
    """An answer for every kind of question; forms are filled in with whatever fits the first field."""
    if question["method"] == "sampling/createMessage":
        return SAID
    if question["method"] == "roots/list":
        return ROOTS
    return {"action": "decline"}


class Seen:
    """Answers from a list, and keeps what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[Json] = []
        self._answers = list(answers)

    def __call__(self, question: Json) -> Any:
        self.asked.append(question)
        return self._answers.pop(0)


async def served(wire: Wire, method: str, params: Json, answer: Answer) -> Json:
    """Return the message that ends a request, all questions on the way answered."""
    if wire.revision in NEW:
        return await _retried(wire, method, params, answer)
    id = wire.request(method, params)
    while (message := await wire.read()).get("id") != id or "method" in message:
        if "method" in message and "id" in message:
            wire.send(_answered(message, answer))
    return message


def _answered(question: Json, answer: Answer) -> Json:
    found = answer({key: question[key] for key in ("method", "params") if key in question})
    head = {"jsonrpc": "2.0", "id": question["id"]}
    return {**head, "error": found.body} if isinstance(found, Refused) else {**head, "result": found}


async def _retried(wire: Wire, method: str, params: Json, answer: Answer) -> Json:
    message = await wire.ask(method, params)
    while message.get("result", {}).get("resultType") == "input_required":
        result = message["result"]
        answers = {key: answer(question) for key, question in result.get("inputRequests", {}).items()}
        message = await wire.ask(method, retry(params, result, answers))
    return message


def retry(params: Json, result: Json, answers: Json) -> Json:
    """The parameters of a retry with these answers."""
    return {**params, "inputResponses": answers, "requestState": result["requestState"]}


async def called(wire: Wire, tool: str, answer: Answer, **arguments: Json) -> Json:
    """Call a tool and return its result, all questions answered."""
    message = await served(wire, "tools/call", {"name": tool, "arguments": arguments}, answer)
    return message["result"]


async def said(wire: Wire, tool: str, answer: Answer, **arguments: Json) -> str:
    """Call a tool and return what its one block says, all questions answered."""
    result = await called(wire, tool, answer, **arguments)
    assert not result.get("isError"), result
    return str(result["content"][0]["text"])


async def asked(wire: Wire, tool: str, **arguments: Json) -> Json:
    """Call a tool and return the InputRequiredResult."""
    result = await wire.call(tool, arguments)
    assert result["resultType"] == "input_required", result
    return result
