"""The commands that talk to a server: list, call, read, prompt, complete, listen.

Each opens one conversation, asks, shows the answer and ends it. Below: the client, `arguments`, `destination`,
`showing`, `plain`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from mcport.client.client import Client
from mcport.core.jsonrpc import JsonObject
from mcport.errors import METHOD_NOT_FOUND, NotDeclared, RemoteError
from mcport.spec.model import Model
from mcport.spec.types import (
    BlobResourceContents,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)
from mcport.transports.printable import printable_line

from .arguments import text_arguments, tool_arguments
from .destination import Destination, destination
from .exits import DONE, FAILED
from .plain import Plain
from .questions import Questions
from .showing import (
    block_text,
    bounded,
    change_line,
    change_record,
    contents_text,
    decoded,
    prompt_rows,
    result_text,
    table,
    tool_rows,
)
from .terminal import Terminal
from .usage import UsageError

if TYPE_CHECKING:
    from mcport.auth.client import OAuth

LISTENED: Final = ("tools", "prompts", "resources")
KINDS: Final = ("tools", "resources", "templates", "prompts")


def converse(options: argparse.Namespace) -> int:
    """Run one command and return its exit code. Raises `McportError` with one line."""
    words = [*options.words]
    target = destination(words, options.behind, options.config, options.server)
    return anyio.run(_Conversation(options, words, Plain()).run, target)


class _Conversation:
    """One command: `words` are what stands behind the target."""

    def __init__(self, options: argparse.Namespace, words: list[str], plain: Plain) -> None:
        self._options = options
        self._words = words
        self._plain = plain

    async def run(self, target: Destination) -> int:
        work: Callable[[Client], Awaitable[int]] = getattr(self, f"_{self._options.does}")
        async with self._client(target) as client:
            if self._options.log:
                await client.set_log_level(self._options.log)
            try:
                return await work(client)
            except ValueError as error:
                # What cannot be sent, such as a number that JSON does not have: it was typed.
                raise UsageError(str(error)) from None

    def _client(self, target: Destination) -> Client:
        options, plain = self._options, self._plain
        questions = Questions(Terminal() if sys.stdin.isatty() else None, plain.note)
        try:
            return Client(
                target,
                revision=options.revision,
                env=dict(map(_variable, options.env)) or None,
                headers=dict(map(_header, options.header)) or None,
                auth=_login(options),
                elicit=questions.form,
                elicit_url=questions.url,
                log=plain.message if options.log else None,
                stderr=plain.server_line if options.trace else None,
                trace=plain.notes.message if options.trace else None,
                **self._times(),
            )
        except (TypeError, ValueError) as error:
            raise UsageError(str(error)) from None

    def _times(self) -> dict[str, Any]:
        seconds = self._options.timeout
        if seconds is not None and not seconds > 0:
            raise UsageError(f"--timeout is a positive number of seconds, got {seconds:g}")
        return {} if seconds is None else {"timeout": seconds, "connect_timeout": seconds}

    # ---- the commands

    async def _list(self, client: Client) -> int:
        wanted = self._words or KINDS
        for word in wanted:
            if word not in KINDS:
                raise UsageError(f"there is no list of {word!r:.40}; there are {', '.join(KINDS)}")
        found = {kind: await self._offered(client, kind) for kind in wanted}
        if self._options.json:
            self._plain.document({**_introduced(client), **{kind: _wire(client, each) for kind, each in found.items()}})
            return DONE
        info = client.server_info
        name = f"{info.get('name') or 'a server without a name'} {info.get('version') or ''}".rstrip()
        self._plain.lines(f"{bounded(name)}, protocol {client.revision}")
        for kind, items in found.items():
            if items:
                self._plain.lines("", kind, *table(_rows(kind, items), self._plain.width))
        return DONE

    async def _call(self, client: Client) -> int:
        tool, words = self._word("a tool"), self._words
        typed = words and not words[0].startswith(("{", "@")) and words[0] != "-"
        arguments = tool_arguments(words, await self._schema(client, tool) if typed else None)
        result = await client.call_tool(tool, arguments, progress=self._plain.notes.bar)
        if self._options.json:
            self._plain.document(result.to_wire(client.revision))
        else:
            show = self._plain.failure if result.is_error else self._plain.lines
            show(result_text(result.content, result.structured_content))
        return FAILED if result.is_error else DONE

    async def _read(self, client: Client) -> int:
        uri = self._word("the URI of a resource")
        self._nothing_more()
        result = await client.read_resource(uri, progress=self._plain.notes.bar)
        if self._options.output is not None:
            _save(Path(self._options.output), result.contents)
        elif self._options.json:
            self._plain.document(result.to_wire(client.revision))
        else:
            self._plain.lines(*map(contents_text, result.contents))
        return DONE

    async def _prompt(self, client: Client) -> int:
        name = self._word("a prompt")
        result = await client.get_prompt(name, text_arguments(self._words), progress=self._plain.notes.bar)
        if self._options.json:
            self._plain.document(result.to_wire(client.revision))
            return DONE
        for message in result.messages:
            self._plain.lines(f"{message.role}:", block_text(message.content))
        return DONE

    async def _complete(self, client: Client) -> int:
        name = self._word("a prompt or a resource template")
        given = text_arguments(self._words)
        if not given:
            raise UsageError("say what to complete: ARGUMENT=BEGINNING; further NAME=VALUE are what is known already")
        argument, *known = given.items()
        is_template = "://" in name or "{" in name
        result = await client.complete(
            ResourceTemplateReference(uri=name) if is_template else PromptReference(name=name),
            CompletionArgument(name=argument[0], value=argument[1]),
            CompletionContext(arguments=dict(known)) if known else None,
        )
        if self._options.json:
            self._plain.document(result.to_wire(client.revision))
        else:
            self._plain.lines(*map(bounded, result.completion.values))
        return DONE

    async def _listen(self, client: Client) -> int:
        wanted = {kind: kind in self._words or self._unnamed(client, kind) for kind in LISTENED}
        uris = [word for word in self._words if word not in LISTENED]
        if not uris and not any(wanted.values()):
            raise UsageError("the server tells of no changes of its lists; name the URIs of resources to listen to")
        count = 0
        async with client.listen(
            tools=wanted["tools"], prompts=wanted["prompts"], resources=wanted["resources"], uris=uris
        ) as changes:
            self._plain.note(f"listening to {', '.join([*filter(wanted.get, LISTENED), *map(printable_line, uris)])}")
            async for change in changes:
                self._plain.record(change_record(change) if self._options.json else change_line(change))
                count += 1
                if count == self._options.count:
                    break
        return DONE

    def _unnamed(self, client: Client, kind: str) -> bool:
        """Whether nothing was named to listen to, and the server tells of this."""
        declared = client.capabilities.get(kind)
        return not self._words and isinstance(declared, dict) and declared.get("listChanged") is True

    # ---- what they share

    def _word(self, what: str) -> str:
        if not self._words:
            raise UsageError(f"name {what} behind the server")
        return self._words.pop(0)

    def _nothing_more(self) -> None:
        if self._words:
            raise UsageError(f"too many words: {' '.join(self._words)!r:.80}")

    async def _schema(self, client: Client, tool: str) -> JsonObject | None:
        """Return what a tool takes; None for one that is not listed, which the server will say best."""
        async for each in client.each_tool():
            if each.name == tool:
                return each.input_schema
        return None

    async def _offered(self, client: Client, kind: str) -> list[Any]:
        """Return all that a server offers of one kind; nothing where it offers none of it."""
        walks: dict[str, Callable[[], AsyncIterator[Any]]] = {
            "tools": client.each_tool,
            "resources": client.each_resource,
            "templates": client.each_resource_template,
            "prompts": client.each_prompt,
        }
        try:
            return [item async for item in walks[kind]()]
        except NotDeclared:
            if self._words:
                raise
        except RemoteError as error:
            # Some servers have resources and know nothing of templates.
            if self._words or error.code != METHOD_NOT_FOUND:
                raise
        return []


def _rows(kind: str, items: list[Any]) -> Iterable[tuple[str, str]]:
    if kind == "tools":
        return tool_rows(items)
    if kind == "prompts":
        return prompt_rows(items)
    return [
        (getattr(each, "uri", None) or each.uri_template, each.description or each.title or each.name) for each in items
    ]


def _introduced(client: Client) -> JsonObject:
    about = {
        "server": client.server_info,
        "protocolVersion": client.revision,
        "capabilities": client.capabilities,
        "instructions": client.instructions,
    }
    return {name: value for name, value in about.items() if value is not None}


def _wire(client: Client, items: Iterable[Model]) -> list[JsonObject]:
    return [item.to_wire(client.revision) for item in items]


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--env takes NAME=VALUE, got {text!r:.80}")
    return name, value


def _login(options: argparse.Namespace) -> OAuth | None:
    """Return how to log in, where that was asked for."""
    if options.auth is None:
        return None
    from .logging_in import oauth

    return oauth(options)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name:
        # Not shown: what is meant to be a header is often a secret.
        raise UsageError("--header takes 'NAME: VALUE', such as 'Authorization: Bearer ...'")
    return name.strip(), value.strip()


def _save(file: Path, contents: Iterable[Any]) -> None:
    """Write what was read into a file, exactly as it is."""
    try:
        whole = b"".join(
            decoded(each.blob) if isinstance(each, BlobResourceContents) else each.text.encode() for each in contents
        )
        file.write_bytes(whole)
    except ValueError as error:
        raise UsageError(f"what the server sent cannot be saved: {error}") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
