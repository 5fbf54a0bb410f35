"""A server that answers the same call differently each time, as one does that asks for input in between."""

import json
from typing import Any

from tests.client.counterpart import result, text, usual
from tests.client.playing import Wire, of

REVISION = "2026-07-28"
FORM = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
ELICIT = {"method": "elicitation/create", "params": {"message": "Who are you?", "requestedSchema": FORM}}
PAGE = {"method": "elicitation/create", "params": {"mode": "url", "message": "Pay", "url": "https://pay.example.com/"}}
WORDS = {"role": "user", "content": {"type": "text", "text": "Capital of France?"}}
SAMPLE = {"method": "sampling/createMessage", "params": {"messages": [WORDS], "maxTokens": 9}}
ROOTS = {"method": "roots/list"}
DONE = text("done")


def asks(questions: dict[str, Any] | None = None, state: str | None = None) -> dict[str, Any]:
    """A result that asks for input."""
    members: dict[str, Any] = {"resultType": "input_required"}
    if questions is not None:
        members["inputRequests"] = questions
    if state is not None:
        members["requestState"] = state
    return result(members)


class Scripted(Wire):
    """The calls of `method` are answered by the steps, one each; the last one again and again."""

    def __init__(self, *steps: Any, method: str = "tools/call", revision: str = REVISION) -> None:
        super().__init__(usual(revision))
        self._method = method
        self._steps = list(steps)

    async def send(self, message: bytes) -> None:
        if json.loads(message).get("method") == self._method:
            step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
            self.counterpart.table[self._method] = step if isinstance(step, list) else [step]
        await super().send(message)

    @property
    def calls(self) -> list[Any]:
        """The calls that came, as JSON."""
        return of(self.messages, self._method)


def params_of(call: Any) -> dict[str, Any]:
    """The parameters of a call, without what every request says."""
    return {name: value for name, value in call["params"].items() if name != "_meta"}
