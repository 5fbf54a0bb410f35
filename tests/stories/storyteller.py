"""The server of the stories; run as a program it serves them over stdio."""

from __future__ import annotations

from dataclasses import dataclass

import anyio
import anyio.lowlevel

from mcport import Context, ListRoots, ResourceNotFound, Sample, Server, ToolError


@dataclass
class Order:
    """What somebody ordered."""

    dish: str
    portions: int


@dataclass
class Guest:
    """Who is at the table."""

    name: str


def make_server() -> Server:
    """Return a new server, which remembers nothing of another one."""
    server = Server("inn", "1.0.0", instructions="Order something.")
    kitchen: list[str] = []
    for chapter in (tools, errors, fire, asking, asking_elsewhere, changes):
        chapter(server, kitchen)
    return server


def tools(server: Server, kitchen: list[str]) -> None:
    @server.tool
    async def order(dish: str, portions: int = 1) -> Order:
        """Order a dish."""
        return Order(dish, portions)

    @server.tool
    def count(words: list[str]) -> int:
        """Count words, in a thread."""
        return len(words)

    @server.tool
    async def say(text: str) -> str:
        """Say something."""
        return text

    @server.tool
    async def heard() -> list[str]:
        """What happened in the kitchen, once something has."""
        while not kitchen:
            await anyio.lowlevel.checkpoint()
        return kitchen


def errors(server: Server, kitchen: list[str]) -> None:
    @server.tool
    async def burn() -> str:
        """Fail, and say why."""
        raise ToolError("The soup is burnt.")

    @server.tool
    async def drop() -> str:
        """Fail in a way that nobody expected."""
        raise RuntimeError("the secret of the cook")


def fire(server: Server, kitchen: list[str]) -> None:
    @server.tool
    async def cook(ctx: Context, steps: int = 3) -> str:
        """Report each step."""
        for step in range(1, steps + 1):
            await ctx.report_progress(step, steps, f"step {step}")
        return "ready"

    @server.tool
    async def simmer(ctx: Context) -> str:
        """Cook until somebody takes it off the fire."""
        await ctx.report_progress(1)
        try:
            await anyio.sleep_forever()
        finally:
            kitchen.append("taken off")
        return "never"


def asking(server: Server, kitchen: list[str]) -> None:
    @server.tool
    async def reserve(ctx: Context) -> str:
        """Ask the guest twice, and write one reservation."""
        name = await ctx.elicit("Your name?", Guest, key="name")
        if not name.accepted:
            return f"no reservation: {name.action}"
        number = await ctx.once("write", lambda: write(name.data.name))
        sure = await ctx.elicit(f"Table {number}, {name.data.name}?", bool, key="sure")
        return f"table {number}: {sure.data}"

    def write(name: str) -> int:
        kitchen.append(f"reserved for {name}")
        return len(kitchen)

    @server.tool
    async def recommend(ctx: Context) -> str:
        """Ask the model and the roots, in one round."""
        answers = await ctx.ask_all(dish=Sample("Which dish?", max_tokens=10), shelf=ListRoots())
        return f"{answers['dish'].content.text} from {answers['shelf'][0].uri}"

    @server.tool
    async def pester(ctx: Context) -> str:
        """Ask without an end."""
        number = 0
        while True:
            number += 1
            await ctx.elicit(f"Really, {number} times?", bool)


def asking_elsewhere(server: Server, kitchen: list[str]) -> None:
    @server.prompt
    async def toast(ctx: Context) -> str:
        """A prompt that asks the model first."""
        answer = await ctx.sample("To whom?", max_tokens=5)
        return f"A toast to {getattr(answer.content, 'text', '')}"

    @server.resource("inn://cellar/{shelf}")
    async def cellar(shelf: str, ctx: Context) -> str:
        """A resource that asks for roots first."""
        if shelf == "none":
            raise ResourceNotFound("There is no such shelf", data={"uri": f"inn://cellar/{shelf}"})
        return f"{shelf}: {(await ctx.list_roots())[0].uri}"


def changes(server: Server, kitchen: list[str]) -> None:
    board = {"text": "soup"}

    @server.resource("inn://board")
    def menu() -> str:
        """What there is today."""
        return board["text"]

    @server.tool
    def chalk(text: str) -> str:
        """Write on the board, and add a tool; from a thread."""
        board["text"] = text
        server.notify_resource_updated("inn://board")
        server.add_tool(special)
        return "written"

    async def special() -> str:
        """Today only."""
        return "fish"


if __name__ == "__main__":
    make_server().run()
