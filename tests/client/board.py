"""A noticeboard for tests of listening: a server whose tools change what it offers. `python -m tests.client.board`."""

from mcport import CacheHint, Server

NOTE = "note://1"


def board() -> Server:
    """A server with one note, which may be written, and tools that may become more."""
    server = Server("board", cache_lists=CacheHint(60_000), offers=["prompts"])
    notes = {NOTE: "first"}

    @server.resource(NOTE, ttl_ms=60_000)
    def note() -> str:
        return notes[NOTE]

    @server.tool
    async def write(text: str) -> str:
        """Write the note."""
        notes[NOTE] = text
        server.notify_resource_updated(NOTE)
        return text

    @server.tool
    async def learn(name: str) -> str:
        """Have one tool more."""

        async def learnt() -> str:
            return name

        server.add_tool(learnt, name=name)
        return name

    return server


if __name__ == "__main__":
    board().run()
