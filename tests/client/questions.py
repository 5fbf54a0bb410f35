"""Questions that a test puts to a client in the handshake era, and callbacks that answer them."""

from typing import Any

from mcport.spec.types import CreateMessageRequestParams, ElicitRequestFormParams, ElicitRequestURLParams
from tests.client.counterpart import request, usual
from tests.client.playing import Wire, client_of

ELICITS = ["2025-06-18", "2025-11-25"]
URLS = ["2025-11-25"]
LATEST = "2025-11-25"

FORM = {"type": "object", "properties": {"name": {"type": "string", "minLength": 2}}, "required": ["name"]}
WORDS = {"role": "user", "content": {"type": "text", "text": "What is the capital of France?"}}
SAMPLE = {"messages": [WORDS], "maxTokens": 100}
PAGE = {"mode": "url", "message": "Pay", "url": "https://pay.example.com/7?a=1", "elicitationId": "e-1"}


def form(schema: Any = FORM, **more: Any) -> dict[str, Any]:
    return {"message": "Who are you?", "requestedSchema": schema, **more}


def answer_to(messages: list[Any], id: Any) -> Any:
    """What the client answered to a request of the server."""
    found = [each for each in messages if "method" not in each and each.get("id") == id]
    return found[0] if found else None


async def asked(wire: Wire, method: str, params: dict[str, Any] | None = None, id: Any = "q") -> Any:
    """Ask the client something and return its answer."""
    wire.push(request(method, id, params))
    return answer_to(await wire.until(lambda messages: answer_to(messages, id) is not None), id)


async def answer_of(revision: str, method: str, params: dict[str, Any] | None, **callbacks: Any) -> Any:
    """What a client with these callbacks answers to one question."""
    wire = Wire(usual(revision))
    async with client_of(wire, revision, **callbacks):
        return await asked(wire, method, params)


async def declared(revision: str, **callbacks: Any) -> Any:
    wire = Wire(usual(revision))
    async with client_of(wire, revision, **callbacks):
        return wire.messages[0]["params"]["capabilities"]


async def ada(question: ElicitRequestFormParams) -> dict[str, object]:
    return {"name": "Ada"}


async def yes(page: ElicitRequestURLParams) -> bool:
    return True


async def paris(question: CreateMessageRequestParams) -> str:
    return "Paris"


def saying(said: Any) -> Any:
    """A callback that says always the same."""

    async def callback(question: Any) -> Any:
        return said

    return callback
