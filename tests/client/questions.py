"""Questions that a test puts to a client in any era, and callbacks that answer them."""

from typing import Any

from mcport.spec.revisions import REVISIONS
from mcport.spec.types import CreateMessageRequestParams, ElicitRequestFormParams, ElicitRequestURLParams
from tests.client.counterpart import request, usual
from tests.client.playing import Wire, client_of
from tests.client.scripted import DONE, Scripted, asks, params_of

STATELESS = "2026-07-28"
ELICITS = ["2025-06-18", "2025-11-25", STATELESS]
URLS = ["2025-11-25", STATELESS]
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
    """What a client with these callbacks answers to one question, however the revision asks it."""
    if REVISIONS[revision].asks_by_returning:
        question = {"method": method} if params is None else {"method": method, "params": params}
        steps = Scripted(asks({"q": question}), DONE)
        async with client_of(steps, revision, **callbacks) as client:
            await client.call_tool("any")
        return {"result": params_of(steps.calls[1])["inputResponses"]["q"]}
    wire = Wire(usual(revision))
    async with client_of(wire, revision, **callbacks):
        return await asked(wire, method, params)


async def declared(revision: str, **callbacks: Any) -> Any:
    wire = Wire(usual(revision))
    async with client_of(wire, revision, **callbacks):
        params = wire.messages[0]["params"]
    if REVISIONS[revision].asks_by_returning:
        return params["_meta"]["io.modelcontextprotocol/clientCapabilities"]
    return params["capabilities"]


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
