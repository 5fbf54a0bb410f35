import anyio

from mcport import CacheHint, Client, Server

server = Server("library", cache=CacheHint(ttl_ms=1_000), cache_lists=CacheHint(60_000, "public"))
reads = 0


@server.resource("book://catalogue", ttl_ms=3_600_000)
async def catalogue() -> str:
    """All books."""
    global reads
    reads += 1
    return f"read {reads} times"


async def main() -> None:
    async with Client(server) as client:
        for fresh in (False, False, True):
            result = await client.read_resource("book://catalogue", fresh=fresh)
            print(result.contents, result.ttl_ms, result.cache_scope)


anyio.run(main)
