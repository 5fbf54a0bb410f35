import threading

import anyio

from mcport import Client, Server

server = Server("clock")
ticks = 0


@server.resource("clock://ticks")
def count() -> str:
    """How often it ticked."""
    return str(ticks)


def tick() -> None:
    global ticks
    ticks += 1
    server.notify_resource_updated("clock://ticks")


async def main() -> None:
    for revision in ("2026-07-28", "2025-11-25"):
        async with Client(server, revision=revision) as client, client.listen(uris=["clock://ticks"]) as changes:
            threading.Thread(target=tick).start()
            async for change in changes:
                print(revision, change, (await client.read_resource("clock://ticks")).contents)
                break


anyio.run(main)
