"""Everything: a server with a tool, resource or prompt for each part of the protocol.

It also meets what the official conformance suite asks of a server, which is why things are named `test_...`.

    mcport list example:everything
    mcport call example:everything test_elicitation message="How many?"
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import anyio
from pydantic import Field

from mcport import Context, Elicit, ListRoots, ResourceNotFound, Sample, Server, ToolError
from mcport.content import Audio, Image, embed
from mcport.spec.types import CreateMessageResult, EmbeddedResource, TextContent

server = Server(
    "everything",
    "1.0.0",
    title="Everything",
    instructions="Each tool shows one part of the protocol; none of them does anything useful.",
)

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SILENCE = base64.b64decode("UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA==")
withdrawn, watched = {"calls": 0}, {"changes": 0}


# ---- content


@server.tool
async def test_simple_text() -> str:
    """Answer one text."""
    return "This is a simple text."


@server.tool
async def test_image_content() -> Image:
    """Answer an image: one red pixel."""
    return Image(data=PIXEL)


@server.tool
async def test_audio_content() -> Audio:
    """Answer a very short silence."""
    return Audio(data=SILENCE)


@server.tool
async def test_embedded_resource() -> EmbeddedResource:
    """Answer with a resource inside."""
    return embed("test://embedded", "This text came inside a result.", mime_type="text/plain")


@server.tool
async def test_multiple_content_types() -> list[str | Image | EmbeddedResource]:
    """Answer text, an image and a resource together."""
    return ["First a text,", Image(data=PIXEL), embed("test://mixed", "and then a resource.", mime_type="text/plain")]


@dataclass
class Weather:
    city: str
    celsius: float
    sky: Literal["clear", "cloudy", "rain"]


@server.tool
async def structured_weather(city: Annotated[str, "the city, by its name"] = "Lyon") -> Weather:
    """Answer structured content, with a schema that the answer is checked against."""
    return Weather(city, 18.5, "clear")


@server.tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool
def fahrenheit(celsius: float) -> float:
    """Convert degrees. A plain function: it runs in a worker thread."""
    return celsius * 9 / 5 + 32


@server.tool
async def test_error_handling() -> str:
    """Fail, always."""
    raise ToolError("This tool fails on purpose.")


# ---- on the way: logging and progress


@server.tool
async def test_tool_with_logging(ctx: Context) -> str:
    """Write three log messages on the way."""
    for step in ("started", "working", "finished"):
        await ctx.info(f"Tool {step}")
        await anyio.sleep(0.05)
    return "Three messages were logged."


@server.tool
async def test_tool_with_progress(ctx: Context) -> str:
    """Report progress three times."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100, f"{done} of 100")
        await anyio.sleep(0.05)
    return "Progress was reported three times."


@server.tool
async def test_logging_tool(ctx: Context) -> str:
    """Log something, which is sent only to those who asked for it."""
    await ctx.warning("Somebody should know of this.")
    return "Logged, for whoever listens."


@server.tool
async def test_reconnection(ctx: Context) -> str:
    """Let the client hang up; it comes back for the answer."""
    await ctx.close_stream(retry=0.1)
    await anyio.sleep(0.1)
    return "Whoever came back gets this."


@server.tool
async def wait(seconds: float = 60) -> str:
    """Take a long time; who loses patience may withdraw the call, and test://withdrawn counts it."""
    try:
        await anyio.sleep(seconds)
    except anyio.get_cancelled_exc_class():
        withdrawn["calls"] += 1
        raise
    return f"{seconds:g} s have passed."


# ---- asking: questions to the client's user, to its model, and for its roots


@dataclass
class User:
    username: Annotated[str, Field(description="How you would like to be called")]
    email: Annotated[str, Field(description="Where to write to", json_schema_extra={"format": "email"})]


@server.tool
async def test_elicitation(message: str, ctx: Context) -> str:
    """Ask the user for a name and an address."""
    answer = await ctx.elicit(message, User)
    if not answer.accepted:
        return f"The user chose to {answer.action}."
    return f"The user is {answer.data.username} <{answer.data.email}>."


@server.tool
async def test_sampling(prompt: str, ctx: Context) -> str:
    """Ask the client's model."""
    return f"The model said: {words(await ctx.sample(prompt, max_tokens=100))}"


def words(message: CreateMessageResult) -> str:
    """What a model said, without pictures and the like."""
    blocks = message.content if isinstance(message.content, list) else [message.content]
    return " ".join(block.text for block in blocks if isinstance(block, TextContent))


@server.tool
async def test_list_roots(ctx: Context) -> list[str]:
    """Ask for the client's roots."""
    return [root.uri for root in await ctx.list_roots()]


@dataclass
class Entry:
    name: Annotated[str, Field(description="Your name")] = "John Doe"
    age: Annotated[int, Field(description="Your age")] = 30
    score: Annotated[float, Field(description="Your score")] = 95.5
    status: Literal["active", "inactive", "pending"] = "active"
    verified: Annotated[bool, Field(description="Whether somebody checked")] = True


@server.tool
async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
    """Ask with a form of which every field has a default."""
    answer = await ctx.elicit("Please look through your entry.", Entry)
    return f"The user chose to {answer.action}: {answer.data}"


CHOICES = ["option1", "option2", "option3"]
VALUES = [{"const": f"value{n}", "title": f"Choice {n}"} for n in (1, 2, 3)]
ENUMS = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "description": "One of them", "enum": CHOICES},
        "titledSingle": {"type": "string", "description": "One, by its title", "oneOf": VALUES},
        "legacyEnum": {
            "type": "string",
            "description": "One, the older way",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option one", "Option two", "Option three"],
        },
        "untitledMulti": {
            "type": "array",
            "description": "Several of them",
            "items": {"type": "string", "enum": CHOICES},
        },
        "titledMulti": {"type": "array", "description": "Several, by title", "items": {"anyOf": VALUES}},
    },
}


@server.tool
async def test_elicitation_sep1330_enums(ctx: Context) -> str:
    """Ask with a form that has every kind of choice."""
    answer = await ctx.elicit("Please choose.", ENUMS)
    return f"The user chose to {answer.action}: {answer.data}"


@server.tool(needs=["sampling"])
async def test_missing_capability(ctx: Context) -> str:
    """Only for clients that have a model."""
    return "Your client declared sampling."


@server.tool
async def test_streaming_elicitation(ctx: Context) -> str:
    """Ask in the middle of a call that also reports progress."""
    await ctx.report_progress(1, 2)
    answer = await ctx.elicit("Shall I go on?", bool)
    return f"The user chose to {answer.action}."


# ---- asking with keys of our own, as clients see them in an InputRequiredResult


@dataclass
class Name:
    name: str


@dataclass
class Confirmation:
    ok: bool


@dataclass
class Colour:
    color: str


@dataclass
class Background:
    context: str


@server.tool
async def test_input_required_result_elicitation(ctx: Context) -> str:
    """Ask for a name under a fixed key."""
    answer = await ctx.elicit("What is your name?", Name, key="user_name")
    return f"Hello, {answer.data.name}!" if answer.accepted else f"The user chose to {answer.action}."


@server.tool
async def test_input_required_result_sampling(ctx: Context) -> str:
    """Ask the model under a fixed key."""
    answer = await ctx.sample("What is the capital of France?", max_tokens=100, key="capital_question")
    return f"The model said: {words(answer)}"


@server.tool
async def test_input_required_result_list_roots(ctx: Context) -> str:
    """Ask for roots under a fixed key."""
    roots = await ctx.list_roots(key="client_roots")
    return f"{len(roots)} roots: {', '.join(root.uri for root in roots)}"


@server.tool
async def test_input_required_result_request_state(ctx: Context) -> str:
    """Ask, and know on the retry that it is one."""
    answer = await ctx.elicit("Shall I?", Confirmation, key="confirm")
    return f"state-ok: the user chose to {answer.action}"


@server.tool
async def test_input_required_result_multiple_inputs(ctx: Context) -> str:
    """Ask three questions of three kinds in one round."""
    answers = await ctx.ask_all(
        user_name=Elicit("What is your name?", Name),
        greeting=Sample("Say hello.", max_tokens=50),
        client_roots=ListRoots(),
    )
    return f"All {len(answers)} answers came."


@server.tool
async def test_input_required_result_multi_round(ctx: Context) -> str:
    """Ask two questions, one after the other."""
    name = await ctx.elicit("Step 1: what is your name?", Name, key="step1")
    colour = await ctx.elicit("Step 2: what is your favourite colour?", Colour, key="step2")
    if not (name.accepted and colour.accepted):
        return "The user keeps it to themselves."
    return f"{name.data.name} likes {colour.data.color}."


@server.tool
async def test_input_required_result_tampered_state(ctx: Context) -> str:
    """Ask with a state that nobody can change unnoticed."""
    answer = await ctx.elicit("Shall I?", Confirmation, key="confirm")
    return f"The state was genuine; the user chose to {answer.action}."


@server.tool
async def test_input_required_result_capabilities(ctx: Context) -> str:
    """Ask only for what the client can do."""
    if "sampling" in ctx.client_capabilities:
        return f"Your model said: {words(await ctx.sample('Say hello.', max_tokens=50, key='greeting'))}"
    if "roots" in ctx.client_capabilities:
        return f"You have {len(await ctx.list_roots(key='client_roots'))} roots."
    answer = await ctx.elicit("What is your name?", Name, key="user_name")
    return f"You chose to {answer.action}."


# ---- a tool with a schema of its own

ADDRESS_BOOK = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


async def accept(arguments: dict[str, Any]) -> str:
    """Take what fits a schema that is passed on to the letter."""
    return f"Accepted: {', '.join(sorted(arguments))}"


server.add_raw_tool("json_schema_2020_12_tool", accept, input_schema=ADDRESS_BOOK)


@server.tool
async def test_x_mcp_header(
    region: Annotated[str | None, Field(json_schema_extra={"x-mcp-header": "Region"})] = None,
) -> str:
    """Take an argument that HTTP clients repeat in a header."""
    return f"Region: {region or 'none'}"


# ---- what changes while the server runs


@server.tool
async def test_trigger_tool_change() -> str:
    """Add a tool, or take it away again; listeners are told."""
    try:
        server.remove_tool("surprise")
    except KeyError:
        server.add_tool(surprise)
        return "There is a new tool: 'surprise'."
    return "The tool 'surprise' is gone."


async def surprise() -> str:
    """Was not here before."""
    return "Surprise!"


@server.tool
async def test_trigger_prompt_change() -> str:
    """Add a prompt, or take it away again; listeners are told."""
    try:
        server.remove_prompt("riddle")
    except KeyError:
        server.add_prompt(riddle)
        return "There is a new prompt: 'riddle'."
    return "The prompt 'riddle' is gone."


def riddle() -> str:
    """Ask for a riddle."""
    return "Tell me a riddle."


@server.tool
async def touch_watched_resource() -> str:
    """Change test://watched-resource; subscribers are told."""
    watched["changes"] += 1
    server.notify_resource_updated("test://watched-resource")
    return f"Changed {watched['changes']} times."


# ---- resources


@server.resource("test://static-text", mime_type="text/plain")
def static_text() -> str:
    """A text that never changes."""
    return "This is the content of the static text resource."


@server.resource("test://static-binary", mime_type="image/png")
def static_binary() -> bytes:
    """An image that never changes."""
    return PIXEL


@server.resource("test://watched-resource", mime_type="application/json")
def watched_resource() -> dict[str, int]:
    """How often touch_watched_resource was called."""
    return watched


@server.resource("test://withdrawn", mime_type="application/json")
def withdrawn_calls() -> dict[str, int]:
    """How many calls of `wait` were withdrawn."""
    return withdrawn


@server.resource("test://template/{id}/data", mime_type="application/json")
def templated(id: str) -> dict[str, Any]:
    """Data for any id."""
    if not id.isalnum():
        raise ResourceNotFound(f"No data for {id!r}", data={"uri": f"test://template/{id}/data"})
    return {"id": id, "templateTest": True, "data": f"Data for ID: {id}"}


# ---- prompts


@server.prompt
def test_simple_prompt() -> str:
    """A prompt without arguments."""
    return "This is a simple prompt."


@server.prompt
def test_prompt_with_arguments(
    arg1: Annotated[str, "the first argument"], arg2: Annotated[str, "the second argument"]
) -> str:
    """A prompt with two arguments."""
    return f"The arguments are {arg1!r} and {arg2!r}."


@server.complete(prompt="test_prompt_with_arguments", argument="arg1")
def complete_arg1(value: str) -> list[str]:
    return [word for word in ("paris", "park", "party") if word.startswith(value)]


@server.prompt
def test_prompt_with_embedded_resource(
    resourceUri: Annotated[str, "which resource to put in"],
) -> list[str | EmbeddedResource]:
    """A prompt with a resource inside."""
    resource = embed(resourceUri, "The text of the resource.", mime_type="text/plain")
    return [resource, "Please work with the resource above."]


@server.prompt
def test_prompt_with_image() -> list[str | Image]:
    """A prompt with an image."""
    return [Image(data=PIXEL), "Please describe the image above."]


@server.prompt
async def test_input_required_result_prompt(ctx: Context) -> str:
    """A prompt that asks before it is made."""
    answer = await ctx.elicit("What shall the prompt know of you?", Background, key="user_context")
    return f"Take this into account: {answer.data.context}" if answer.accepted else "Nothing is known of the user."


if __name__ == "__main__":
    server.run()
