"""The client under test: it uses whatever a server offers, with nothing but public API.

    python tests/conformance/client.py URL

It lists everything, calls every tool with arguments made from its schema, reads every resource and gets every prompt;
what the suite hands over as tool calls is called as it stands. The name of a scenario tells only which kind of program
is to be played where two kinds are given the same: it does not know what is expected of it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
import httpx

from mcport import (
    Client,
    ClientCredentials,
    ConversationError,
    EnterpriseManaged,
    Granted,
    IdentityProvider,
    OAuth,
    SigningKey,
    WorkloadIdentity,
    fill_defaults,
)
from mcport.spec.types import Tool

VALUES: dict[str, object] = {"integer": 3, "number": 5, "boolean": True, "object": {}, "array": []}


def some(name: str, schema: Mapping[str, Any], others: Sequence[Tool]) -> object:
    """Return a value for an argument; for one that is called a schema that of another tool."""
    if name == "schema" and others:
        return others[0].input_schema
    return VALUES.get(str(schema.get("type")), f"some {name}")


def arguments(tool: Tool, tools: Sequence[Tool]) -> dict[str, object]:
    """Return arguments for a tool."""
    fields = tool.input_schema.get("properties", {})
    others = [each for each in tools if each is not tool]
    return {name: some(name, schema, others) for name, schema in fields.items()}


async def use(client: Client) -> None:
    """Use all that a server offers."""
    tools = (await client.list_tools()).tools
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    made = [{"name": tool.name, "arguments": arguments(tool, tools)} for tool in tools]
    for call in context.get("toolCalls", made):
        print(call["name"], await client.call_tool(call["name"], call["arguments"]))
    if "resources" in client.capabilities:
        for resource in (await client.list_resources()).resources:
            await client.read_resource(resource.uri)
    if "prompts" in client.capabilities:
        for prompt in (await client.list_prompts()).prompts:
            await client.get_prompt(prompt.name, {each.name: "some" for each in prompt.arguments or ()})


def answer(_: Any) -> str:
    """Say what a model would."""
    return "Certainly."


class Browser:
    """What a person and a browser are otherwise: it goes to the page, and keeps where that sends it."""

    async def open(self, page: str) -> None:
        """Visit a page, without going where it leads."""
        async with httpx.AsyncClient() as client:
            self.came = (await client.get(page)).headers["location"]

    def back(self) -> str:
        """Return where the browser was sent."""
        return self.came


def person(context: Mapping[str, Any], *, dpop: bool) -> OAuth:
    """Return how a person logs in, with what the suite says of this client."""
    browser = Browser()
    return OAuth(
        client_name="mcport conformance client",
        client_id=context.get("client_id"),
        client_secret=context.get("client_secret"),
        client_metadata_url="https://conformance-test.local/client-metadata.json",
        redirect_uri="http://localhost:3000/callback",
        open_url=browser.open,
        receive=browser.back,
        legacy=True,
        dpop=dpop,
    )


def login(kind: str, context: Mapping[str, Any]) -> httpx.Auth:
    """Return how this client gets tokens: set up as somebody would who has what the suite hands over."""

    async def id_token() -> str:
        return str(context["idp_id_token"])

    async def workload() -> str:
        return str(context["valid_jwt"])

    if "idp_id_token" in context:
        provider = IdentityProvider(context["idp_token_endpoint"], context["idp_client_id"])
        return Granted(EnterpriseManaged(None, context["client_id"], context["client_secret"], provider, id_token))
    if "valid_jwt" in context:
        return Granted(WorkloadIdentity(None, workload, client_id=context["client_id"]))
    if "private_key_pem" in context:
        key = SigningKey(context["private_key_pem"], context["signing_algorithm"])
        return Granted(ClientCredentials(None, context["client_id"], key=key))
    if kind.startswith("auth/client-credentials"):
        return Granted(ClientCredentials(None, context["client_id"], client_secret=context["client_secret"]))
    return person(context, dpop=kind.startswith("auth/dpop"))


async def main(url: str) -> None:
    """Connect, use what there is, and leave."""
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    auth = login(os.environ.get("MCP_CONFORMANCE_SCENARIO", ""), context)
    async with Client(url, elicit=fill_defaults, sample=answer, roots=["file:///tmp"], auth=auth) as client:
        await use(client)


if __name__ == "__main__":
    try:
        anyio.run(main, sys.argv[1])
    except ConversationError as error:
        sys.exit(f"{type(error).__name__}: {error}")
