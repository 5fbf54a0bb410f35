"""Resources: which URIs are read, by whom, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mcport import Context, ResourceNotFound, Server
from mcport.core.uri_template import TemplateError
from mcport.spec.types import Annotations, BlobResourceContents, ReadResourceResult, TextResourceContents
from tests.server.test_registration import listed
from tests.server.wire import ALL, NEW, OLD, Json, Wire, opened, serving, unopened

DATED = ["2025-06-18", "2025-11-25", *NEW]


async def contents(wire: Wire, uri: str) -> list[Json]:
    found: list[Json] = (await wire.ask("resources/read", {"uri": uri}))["result"]["contents"]
    return found


def files() -> tuple[Server, list[str]]:
    """A server whose one template takes whole paths; and what it was asked for."""
    server, asked = Server("files"), list[str]()

    @server.resource("file:///project/{+path}")
    async def read(path: str) -> str | None:
        asked.append(path)
        return None if path.startswith("missing") else path

    @server.resource("note://{id}")
    async def note(id: str) -> str:
        asked.append(id)
        return id

    return server, asked


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("resources.template-rfc6570")
async def test_uris_that_fit_a_template_reach_its_handler_with_the_values_decoded_once(revision: str) -> None:
    server, _ = files()
    async with serving(server, revision) as wire:
        templates = await listed(wire, "resources/templates/list", "resourceTemplates")
        assert [each["uriTemplate"] for each in templates] == ["file:///project/{+path}", "note://{id}"]
        for uri, value in [
            ("file:///project/a/b.txt", "a/b.txt"),
            ("note://a%20b", "a b"),
            ("note://%2541", "%41"),
            ("note://münchen", "münchen"),
        ]:
            assert await contents(wire, uri) == [{"uri": uri, "text": value}]


@pytest.mark.parametrize("template", ["a://{", "a://{b}{c}", "a://{b*}", "a://{+b}{+c}", "a://{b:3}", "a://{ b}"])
def test_a_template_that_is_none_or_that_nothing_can_be_read_by_is_refused_at_once(template: str) -> None:
    with pytest.raises(TemplateError):
        Server("demo").resource(template)(two)


def two(b: str, c: str = "") -> str:
    return b + c


@pytest.mark.parametrize("uri", ["no scheme", "x y://b", "a://b c", "a://%zz", "1a://b", "", "a://b\n"])
@pytest.mark.requirement("resources.uri-rfc3986")
def test_what_is_no_uri_cannot_be_registered(uri: str) -> None:
    server = Server("demo")
    with pytest.raises(ValueError, match="is no URI"):
        server.add_resource(uri, two)
    server.add_resource("my-app.v1+x:anything/at?all=1#here", returning("x"))


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("uri", ["note://a b", "note://%zz", "note://a\n", "note://a\x00", "nothing", "note://a[0]"])
@pytest.mark.requirement("resources.validate-uris")
async def test_what_is_no_uri_is_refused_before_any_handler_runs(revision: str, uri: str) -> None:
    server, asked = files()
    async with serving(server, revision) as wire:
        error = await wire.error("resources/read", {"uri": uri})
        assert (error["code"], error["data"]) == (-32602, {"uri": uri})
        assert error["message"] == f"resources/read: {uri!r} is no URI that can be read"
        assert asked == []


CLIMBING = ["../etc", "a/../../etc", "%2e%2e/etc", "a/..%2f..%2fetc", "..%5cetc", "a%00b", "a/.."]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("path", CLIMBING)
@pytest.mark.requirement("resources.path-traversal", revisions=NEW)
async def test_a_file_uri_never_leads_upwards(revision: str, path: str) -> None:
    server, asked = files()
    async with serving(server, revision) as wire:
        assert (await wire.error("resources/read", {"uri": f"file:///project/{path}"}))["code"] == -32602
        assert asked == []
        assert len(await contents(wire, "file:///project/a..b/c")) == 1


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("resources.not-found-32602", "resources.no-empty-contents", revisions=NEW)
@pytest.mark.requirement("resources.errors", revisions=OLD)
async def test_what_is_not_there_is_an_error_with_the_uri_and_never_an_empty_answer(revision: str) -> None:
    server, _ = files()

    @server.resource("raising://{id}")
    def raising(id: str) -> str:
        raise ResourceNotFound(f"no {id}", data={"uri": f"raising://{id}"})

    @server.resource("nothing://{id}")
    def nothing(id: str) -> None:
        return None

    @server.resource("number://{id}")
    def number(id: int) -> str:
        return f"{id}"

    code = -32602 if revision in NEW else -32002
    async with serving(server, revision) as wire:
        for uri in ("other://x", "file:///project/missing.txt"):
            error = await wire.error("resources/read", {"uri": uri})
            assert error == {"code": code, "message": f"Resource not found: {uri}", "data": {"uri": uri}}
        error = await wire.error("resources/read", {"uri": "raising://x"})
        assert error == {"code": code, "message": "no x", "data": {"uri": "raising://x"}}
        for uri in ("nothing://x", "number://x"):
            error = await wire.error("resources/read", {"uri": uri})
            assert (error["code"], error["data"]) == (code, {"uri": uri})


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("resources.errors")
async def test_p19_an_exception_in_a_resource_is_an_internal_error_that_tells_nothing(revision: str) -> None:
    server = Server("demo")

    @server.resource("a://b")
    def broken() -> str:
        raise RuntimeError("hunter2")

    async with serving(server, revision) as wire:
        error = await wire.error("resources/read", {"uri": "a://b"})
        assert error["code"] == -32603
        assert "hunter2" not in error["message"]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("resources.binary-encoded")
async def test_bytes_are_a_base64_blob_whatever_they_are_and_text_is_text(revision: str) -> None:
    server = Server("demo")
    server.add_resource("a://bytes", returning(bytes(range(256))), mime_type="application/octet-stream")
    server.add_resource("a://ascii", returning(b"plain"), mime_type="text/plain")
    server.add_resource("a://text", returning("plain"), mime_type="text/plain")
    async with serving(server, revision) as wire:
        (whole,) = await contents(wire, "a://bytes")
        assert whole["blob"].startswith("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v")
        assert "text" not in whole
        assert (await contents(wire, "a://ascii"))[0]["blob"] == "cGxhaW4="
        assert (await contents(wire, "a://text"))[0]["text"] == "plain"


def returning(value: Any) -> Any:
    async def resource() -> Any:
        return value

    return resource


UNSOUND: list[tuple[Any, str]] = [
    (BlobResourceContents(uri="a://b", blob="not base64"), "blob is not base64"),
    (TextResourceContents(uri="no uri", text="t"), "'no uri' is no URI"),
    (TextResourceContents(uri="a://b", text="t", mime_type="nothing"), "'nothing' is no media type"),
    (ReadResourceResult(contents=[BlobResourceContents(uri="a://b", blob="a")]), "contents[0]: blob is not base64"),
]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("resources.binary-encoded")
async def test_contents_that_are_not_sound_do_not_leave_the_server(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    for value, fault in UNSOUND:
        server = Server("demo")
        server.add_resource("a://b", returning(value))
        caplog.clear()
        async with serving(server, revision) as wire:
            assert (await wire.error("resources/read", {"uri": "a://b"}))["code"] == -32603
        assert fault in caplog.text


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("resources.multiple-contents", revisions=NEW)
@pytest.mark.requirement("resources.xdg-mime")
async def test_a_directory_is_read_as_the_contents_of_what_is_in_it(revision: str) -> None:
    inside = [
        TextResourceContents(uri="file:///d/a.txt", text="a", mime_type="text/plain"),
        BlobResourceContents(uri="file:///d/b.bin", blob="aQ==", mime_type="application/octet-stream"),
    ]
    server = Server("demo")
    server.add_resource("file:///d", returning(inside), mime_type="inode/directory", size=2)
    async with serving(server, revision) as wire:
        (shown,) = await listed(wire, "resources/list", "resources")
        assert shown["mimeType"] == "inode/directory"
        assert [each["uri"] for each in await contents(wire, "file:///d")] == ["file:///d/a.txt", "file:///d/b.bin"]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("resources.access-controls")
async def test_p23_a_check_before_each_read_decides_who_reads(revision: str) -> None:
    server, read, said = Server("demo"), list[str](), list[bool | None]()

    def allowed(ctx: Context) -> bool:
        if said[-1] is None:
            raise RuntimeError("the check is broken")
        return said[-1]

    @server.resource("secret://{id}", visible=allowed)
    async def secret(id: str) -> str:
        read.append(id)
        return id

    @server.resource("secret://own/door", visible=allowed)
    async def door() -> str:
        read.append("door")
        return "door"

    async with serving(server, revision) as wire:
        for verdict in (False, True, None, True, False):
            said.append(verdict)
            for uri, text in (("secret://x", "x"), ("secret://own/door", "door")):
                read.clear()
                if verdict:
                    assert [each["text"] for each in await contents(wire, uri)] == [text]
                else:
                    assert (await wire.error("resources/read", {"uri": uri}))["message"] == f"Resource not found: {uri}"
                assert read == ([text] if verdict else [])


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("resources.capability-declared", "resources.list-answered", revisions=NEW)
async def test_resources_are_declared_where_there_are_some_and_their_lists_answered(revision: str) -> None:
    only_fixed, only_templates = Server("fixed"), Server("templates")
    only_fixed.add_resource("a://b", returning("x"))
    only_templates.add_resource("a://{b}", two)
    for server, count in ((only_fixed, (1, 0)), (only_templates, (0, 1)), (Server("none"), None)):
        async with unopened(server, revision) as wire:
            if revision in OLD:
                capabilities = (await opened(wire))["capabilities"]
            else:
                capabilities = (await wire.ask("server/discover"))["result"]["capabilities"]
            assert ("resources" in capabilities) == (count is not None)
            if count is None:
                assert (await wire.error("resources/list"))["code"] == -32601
                continue
            fixed = await listed(wire, "resources/list", "resources")
            templates = await listed(wire, "resources/templates/list", "resourceTemplates")
            assert (len(fixed), len(templates)) == count


# ---- annotations


@pytest.mark.requirement("content.annotation-audience")
async def test_an_audience_is_made_of_user_and_assistant_only() -> None:
    wrong: Any
    for wrong in (["model"], ["user", "robot"], "user", [5]):
        with pytest.raises(ValidationError):
            Annotations(audience=wrong)
    for revision in ALL:
        server = Server("demo")
        server.add_resource("a://b", returning("x"), annotations=Annotations(audience=["user", "assistant"]))
        async with serving(server, revision) as wire:
            (shown,) = await listed(wire, "resources/list", "resources")
            assert shown["annotations"]["audience"] == ["user", "assistant"]


@pytest.mark.parametrize("revision", DATED)
@pytest.mark.requirement("content.annotation-last-modified")
async def test_the_last_change_is_told_as_a_date_in_iso_8601(revision: str) -> None:
    when, server = "2025-01-12T15:00:58Z", Server("demo")
    server.add_resource("a://b", returning("x"), annotations=Annotations(last_modified=when))
    async with serving(server, revision) as wire:
        (shown,) = await listed(wire, "resources/list", "resources")
        assert shown["annotations"]["lastModified"] == when
    for wrong in ("yesterday", "12.1.2025", ""):
        with pytest.raises(ValueError, match="ISO 8601"):
            server.resource("a://c", annotations=Annotations(last_modified=wrong))


def test_a_media_type_that_is_none_is_refused() -> None:
    for wrong in ("text", "text/", "/plain", "text plain", "a/b/c"):
        with pytest.raises(ValueError, match="no media type"):
            Server("demo").resource("a://b", mime_type=wrong)
    for right in ("text/plain", "text/plain; charset=utf-8", "application/vnd.api+json", "inode/directory"):
        Server("demo").resource("a://b", mime_type=right)
