"""The helpers for content, by themselves and returned by tools, prompts and resources of every revision."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mcport import Client, Server
from mcport.content import Audio, File, Image, embed, link, text_of
from mcport.spec.revisions import REVISIONS
from mcport.spec.types import (
    Annotations,
    BlobResourceContents,
    CallToolResult,
    CreateMessageResult,
    Icon,
    PromptMessage,
    TextContent,
    TextResourceContents,
)
from tests.server.wire import ALL, Json, serving

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8
WAV = b"RIFF\0\0\0\0WAVEfmt "
TEXT: Any = "a.png"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


@pytest.mark.parametrize(
    ("name", "data", "mime_type"),
    [
        ("a.png", PNG, "image/png"),
        ("b.JPG", b"x", "image/jpeg"),
        ("c", PNG, "image/png"),
        ("d.svg", SVG, "image/svg+xml"),
    ],
)
def test_a_picture_is_made_from_a_file(tmp_path: Path, name: str, data: bytes, mime_type: str) -> None:
    (tmp_path / name).write_bytes(data)
    for path in (tmp_path / name, str(tmp_path / name)):
        image = Image(path)
        assert (image.type, image.mime_type) == ("image", mime_type)
        assert base64.b64decode(image.data, validate=True) == data


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"  " + SVG, "image/svg+xml"),
    ],
)
def test_the_type_of_bytes_is_told_from_how_they_begin(data: bytes, mime_type: str) -> None:
    assert Image(data=data).mime_type == mime_type
    assert Image(data=bytearray(data), mime_type="image/x-mine").mime_type == "image/x-mine"
    assert Audio(data=WAV).mime_type == "audio/wav"
    assert Audio(data=b"fLaC").mime_type == "audio/flac"


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: Image(), "Image: give either path or data"),
        (lambda: Image("a", data=b"b"), "Image: give either path or data"),
        (lambda: Image(data=b"what"), "Image: cannot tell the MIME type of the data; give mime_type="),
        (lambda: Image(data=TEXT), "Image: data is bytes, not str; a path goes into path="),
        (lambda: Image(data=WAV), "Image: the data is audio/wav, which is no image; File takes any kind"),
        (lambda: Audio(data=b"x", mime_type="image/png"), "Audio: the data is image/png, which is no audio"),
        (lambda: Image(data=PNG, max_bytes=15), r"Image: more than 15 bytes \(max_bytes\); send a link"),
        (lambda: Image(Path(__file__).parent), "is no regular file"),
        (lambda: File(data=b"x"), "File: data has no name; give it a uri"),
        (lambda: link("notes.md"), "link: 'notes.md' is no URI"),
        (lambda: embed("", "x"), "embed: '' is no URI"),
    ],
)
def test_what_cannot_be_content_is_refused_in_one_line(make: Any, line: str) -> None:
    with pytest.raises(ValueError, match=line) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_file_is_read_no_further_than_the_bound(tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    with large.open("wb") as stream:
        os.truncate(stream.fileno(), 1 << 40)
    with pytest.raises(ValueError, match="more than 1,000 bytes"):
        Image(large, max_bytes=1_000)
    with pytest.raises(FileNotFoundError):
        Image(tmp_path / "none.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match="no regular file"):
        Image(tmp_path / "pipe.png")


def test_a_file_is_text_where_its_type_and_its_bytes_are(tmp_path: Path) -> None:
    notes, broken, data = tmp_path / "a.md", tmp_path / "b.txt", tmp_path / "c.bin"
    notes.write_text("# ü", encoding="utf-8")
    broken.write_bytes(b"\xff")
    data.write_bytes(b"{}")
    text = File(notes).resource
    assert isinstance(text, TextResourceContents)
    assert (text.text, text.mime_type, text.uri) == ("# ü", "text/markdown", notes.as_uri())
    assert isinstance(File(broken).resource, BlobResourceContents)
    assert isinstance(File(data, uri="data://c").resource, BlobResourceContents)
    json_file = File(data=b"{}", uri="data://c.json", mime_type="application/json").resource
    assert isinstance(json_file, TextResourceContents)


def test_links_and_embedded_resources_say_what_they_are_given() -> None:
    found = link("file:///a/notes.md", title="Notes", size=5, icons=[Icon(src="https://a.test/i.png")], meta={"a": 1})
    assert (found.name, found.title, found.size) == ("notes.md", "Notes", 5)
    assert link("data:x", "own").name == "own"
    text, blob = embed("data://a.json", "{}").resource, embed("data://a", b"{}").resource
    assert isinstance(text, TextResourceContents)
    assert text.mime_type == "application/json"
    assert isinstance(blob, BlobResourceContents)
    assert blob.blob == "e30="


def everything() -> list[Any]:
    about = Annotations(audience=["user"], priority=0.5, last_modified="2025-01-01T00:00:00Z")
    return [
        Image(data=PNG, annotations=about, meta={"example.org/a": None}),
        Audio(data=WAV),
        File(data=b"text", uri="data://f", mime_type="text/plain"),
        link("data://l", icons=[Icon(src="https://a.test/i.png")]),
        embed("data://e", b"bytes"),
    ]


@pytest.mark.requirement("content.base64-data")
@pytest.mark.requirement("tools.embedded-resources")
@pytest.mark.requirement("tools.resource-links", revisions=["2025-06-18", "2025-11-25", "2026-07-28"])
@pytest.mark.parametrize("revision", ALL)
async def test_tools_and_prompts_return_them_and_each_revision_drops_what_it_lacks(revision: str) -> None:
    server, has = Server("shows"), REVISIONS[revision]

    @server.tool
    async def show() -> list[Image | Audio | File]:
        return everything()

    @server.tool
    async def whole() -> CallToolResult:
        return CallToolResult(content=everything())

    @server.prompt
    async def say() -> Any:
        return [*everything(), *(PromptMessage(role="assistant", content=each) for each in everything())]

    @server.prompt
    async def told() -> Any:
        return [{"role": "user", "content": each} for each in everything()]

    async with serving(server, revision) as wire:
        shown = [(await wire.call(name))["content"] for name in ("show", "whole")]
        said = (await wire.ask("prompts/get", {"name": "say"}))["result"]["messages"]
        told_ = (await wire.ask("prompts/get", {"name": "told"}))["result"]["messages"]
    blocks = [each["content"] for each in [*said, *told_]]
    for image, audio, file, linked, embedded in [*shown, blocks[:5], blocks[5:10], blocks[10:]]:
        assert base64.b64decode(image["data"], validate=True) == PNG
        assert image["mimeType"] == "image/png"
        assert ("lastModified" in image["annotations"]) is has.has_titles
        assert ("_meta" in image) is has.has_titles
        assert (audio if has.has_audio else audio["resource"])["mimeType"] == "audio/wav"
        assert file["resource"] == {"uri": "data://f", "text": "text", "mimeType": "text/plain"}
        assert linked["type"] == ("resource_link" if has.has_resource_links else "text")
        assert ("icons" in linked) is has.has_icons
        assert base64.b64decode(embedded["resource"]["blob"]) == b"bytes"


@pytest.mark.parametrize("revision", ALL)
async def test_resources_return_them_as_contents(revision: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("text")
    blob = base64.b64encode(PNG).decode()
    values: list[tuple[Any, Json]] = [
        (Image(data=PNG), [{"uri": "data://it", "mimeType": "image/png", "blob": blob}]),
        (File(tmp_path / "secret.txt"), [{"uri": "data://it", "mimeType": "text/plain", "text": "text"}]),
        ([embed("data://a", "a"), Image(data=PNG)], ["data://a", "data://it"]),
        (TextContent(text="t"), [{"uri": "data://it", "text": "t"}]),
    ]
    for value, expected in values:
        server = Server("reads")

        @server.resource("data://it")
        async def it(value: Any = value) -> Any:
            return value

        async with serving(server, revision) as wire:
            contents = (await wire.ask("resources/read", {"uri": "data://it"}))["result"]["contents"]
        assert contents == expected or [each["uri"] for each in contents] == expected


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("annotation", [list, list[Any], list[str | Any], tuple[Any, ...], Sequence[object]])
async def test_a_list_that_may_hold_anything_is_content_where_it_holds_some(revision: str, annotation: Any) -> None:
    server = Server("mixes")

    async def mixed() -> Any:
        return ["a pixel:", Image(data=PNG)]

    async def plain() -> Any:
        return [1, "b"]

    for tool in (mixed, plain):
        tool.__annotations__["return"] = annotation
        server.add_tool(tool)
    async with serving(server, revision) as wire:
        shown = (await wire.ask("tools/list"))["result"]["tools"]
        assert [tool.get("outputSchema") for tool in shown] == [None, None]
        assert [block["type"] for block in (await wire.call("mixed"))["content"]] == ["text", "image"]
        assert await wire.text("plain") == '[1,"b"]'


@pytest.mark.parametrize("revision", ALL)
async def test_the_words_of_any_result_are_read_by_one_function(revision: str) -> None:
    server = Server("words")

    @server.tool
    async def say() -> list[Any]:
        return ["one", Image(data=b"x", mime_type="image/png"), "two"]

    @server.resource("words://x")
    async def words() -> str:
        return "three"

    @server.prompt
    async def ask() -> str:
        return "four"

    async with Client(server, revision=revision) as client:
        said = await client.call_tool("say")
        assert text_of(said) == said.text() == "one\ntwo"
        assert text_of(await client.read_resource("words://x")) == "three"
        prompt = await client.get_prompt("ask")
        assert text_of(prompt) == text_of(prompt.messages) == text_of(prompt.messages[0]) == "four"


def test_the_words_of_a_model_are_read_too_and_what_has_none_is_empty() -> None:
    text = TextContent(type="text", text="five")
    assert text_of(CreateMessageResult(role="assistant", model="m", content=text)) == "five"
    assert text_of(CreateMessageResult(role="assistant", model="m", content=[text, text])) == "five\nfive"
    assert text_of(Image(data=b"x", mime_type="image/png")) == ""
    assert text_of([]) == ""
