"""An extension that uses the whole port, and a server that has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anyio

from mcport import (
    Context,
    Extension,
    ExtensionResult,
    ProtocolError,
    Server,
)
from mcport.core.jsonrpc import JsonObject
from mcport.spec.types import CallToolResult, TextContent
from tests.server.wire import CAPABILITIES, NEW, Json

REVISION = NEW[0]


JOBS = "com.example/jobs"


def declared(identifier: str = JOBS, settings: Json = None) -> Json:
    """The metadata of a request that declares an extension."""
    return {CAPABILITIES: {"extensions": {identifier: {} if settings is None else settings}}}


@dataclass
class JobId:
    jobId: str


class Jobs(Extension):
    """Calls that go on after they are answered: as small as an extension can be that uses the whole port."""

    def __init__(self) -> None:
        super().__init__(JOBS, {"most": 3})
        self.done: dict[str, str] = {}
        self.heard: list[Json] = []
        self.hears = anyio.Event()
        self.result_type("com.example/job")
        self.meta_key("com.example/jobs.owner")
        self.listen_filter("jobIds", "notifications/com.example/jobs", names="jobId", accept=self._mine)
        self.method("com.example/jobs.get", name="jobId")(self._get)
        self.notification("notifications/com.example/nudge")(self._nudge)

    def start(self, ctx: Context, id: str) -> ExtensionResult:
        """Answer a call with a job."""
        return self.result("com.example/job", {"jobId": id, "most": self.settings["most"]})

    async def _get(self, params: JobId, ctx: Context) -> JsonObject:
        if params.jobId not in self.done:
            raise ProtocolError(f"no job {params.jobId!r}", code=-32602)
        return {"jobId": params.jobId, "text": self.done[params.jobId], "revision": ctx.revision}

    async def _nudge(self, params: JsonObject) -> None:
        self.heard.append(params)
        self.hears.set()

    def _mine(self, names: list[str], ctx: Context) -> list[str]:
        return [name for name in names if name.startswith("mine")]


def made() -> tuple[Server, Jobs]:
    jobs = Jobs()
    server = Server("demo", extensions=[jobs])

    @server.tool
    async def work(ctx: Context) -> Any:
        if jobs.declared_by(ctx) is None:
            return "done at once"
        jobs.done["j1"] = "done later"
        return jobs.start(ctx, "j1")

    @server.tool
    async def must(ctx: Context) -> Any:
        return jobs.start(ctx, "j2")

    @server.tool
    async def owned() -> CallToolResult:
        block = TextContent(type="text", text="x")
        return CallToolResult(content=[block], meta={"com.example/jobs.owner": "me"})

    return server, jobs


def server() -> Server:
    return made()[0]
