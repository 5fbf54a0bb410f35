from dataclasses import dataclass

import anyio

from mcport import Client, Extension, Notified, RemoteError, Server
from mcport.core.jsonrpc import JsonObject

weather = Extension("com.example/weather", {"units": "celsius"})
weather.listen_filter("weatherAlerts", "com.example/weather.alert")


@dataclass
class Station:
    name: str


@weather.method("com.example/weather.now")
async def now(params: Station) -> JsonObject:
    return {"station": params.name, "celsius": 11.5}


server = Server("weather", extensions=[weather])


async def main() -> None:
    async with Client(server, extensions={"com.example/weather": {}}) as client:
        print(client.capabilities["extensions"])
        print(await client.request("com.example/weather.now", {"name": "Lyon"}))
        async with client.listen(filters={"weatherAlerts": True}) as changes:
            server.notify("com.example/weather.alert", {"text": "storm"})
            async for change in changes:
                if isinstance(change, Notified):
                    print(change.method, change.params)
                break
    async with Client(server) as stranger:
        try:
            await stranger.request("com.example/weather.now", {"name": "Lyon"})
        except RemoteError as error:
            print(error.code, error)


anyio.run(main)
