"""Suggestions for arguments of prompts and variables of templates: who makes them, and what goes out."""

from __future__ import annotations

import enum
import logging
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from mcport import Context, Limits, ProtocolError, Server
from mcport.core.limits import SERVER_LIMITS
from mcport.server.limiting.rate import Rate
from mcport.spec.types import Completion
from tests.server.wire import ALL, NEW, OLD, Json, Wire, opened, serving, unopened

REVISION = NEW[0]
LANGUAGES = ["python", "pytorch", "java", "cython"]
WITH_CONTEXT = ["2025-06-18", "2025-11-25", *NEW]
DECLARING = ["2025-03-26", *WITH_CONTEXT]


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"
    ONE = 1


def review(
    language: str,
    style: Literal["Short", "long", "very long"] = "long",
    colour: Colour = Colour.RED,
    strict: bool = True,
    level: Literal[1, 2] | None = None,
) -> str:
    """Review code."""
    return f"{language} {style}"


def readings(station: str, unit: Literal["celsius", "kelvin"]) -> str:
    return f"{station} {unit}"


def served() -> Server:
    server = Server("Demo")
    server.add_prompt(review)
    server.add_resource("station://{station}/{unit}", readings)
    server.add_resource("a://fixed", lambda_free)

    @server.complete(prompt="review", argument="language")
    def languages(value: str) -> list[str]:
        return [language for language in LANGUAGES if language.startswith(value)]

    @server.complete(resource="station://{station}/{unit}", argument="station")
    async def stations(typed: str, context: dict[str, str], ctx: Context) -> Iterator[str]:
        return iter([f"{typed}/{sorted(context.items())}/{ctx.revision}"])

    return server


def lambda_free() -> str:
    return "fixed"


def prompt(argument: str, value: Json = "", name: Json = "review") -> Json:
    return {"ref": {"type": "ref/prompt", "name": name}, "argument": {"name": argument, "value": value}}


def resource(argument: str, value: Json = "", uri: Json = "station://{station}/{unit}") -> Json:
    return {"ref": {"type": "ref/resource", "uri": uri}, "argument": {"name": argument, "value": value}}


async def completed(wire: Wire, params: Json) -> Json:
    return (await wire.ask("completion/complete", params))["result"]["completion"]


async def values(wire: Wire, params: Json) -> list[str]:
    found: list[str] = (await completed(wire, params))["values"]
    return found


@pytest.mark.parametrize("revision", ALL)
async def test_a_completer_is_handed_what_was_typed_and_its_texts_go_out_in_its_order(revision: str) -> None:
    async with serving(served(), revision) as wire:
        found = await completed(wire, prompt("language", "py"))
        assert found == {"values": ["python", "pytorch"], "total": 2, "hasMore": False}
        assert await values(wire, prompt("language", "q")) == []


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (prompt("style"), ["Short", "long", "very long"]),
        (prompt("style", "LO"), ["long", "very long"]),
        (prompt("style", "ong"), ["long", "very long"]),
        (prompt("style", "very long"), ["very long"]),
        (prompt("style", "x"), []),
        (prompt("colour"), ["red", "green"]),
        (prompt("level"), ["1", "2"]),
        (prompt("colour", "R"), ["red", "green"]),
        (prompt("strict", "t"), ["true"]),
        (resource("unit", "k"), ["kelvin"]),
    ],
)
async def test_what_a_type_lists_completes_itself_beginnings_first_and_case_does_not_matter(
    revision: str, params: Json, expected: list[str]
) -> None:
    async with serving(served(), revision) as wire:
        assert await values(wire, params) == expected


async def test_every_choice_that_is_suggested_is_one_that_the_prompt_takes() -> None:
    async with serving(served(), REVISION) as wire:
        for name in ("style", "colour", "strict", "level"):
            for choice in await values(wire, prompt(name)):
                got = await wire.ask("prompts/get", {"name": "review", "arguments": {"language": "x", name: choice}})
                assert "result" in got


async def test_an_explicit_completer_wins_over_the_type_and_one_without_value_is_matched_for_it() -> None:
    server = served()
    server.complete(prompt="review", argument="style")(lambda: ["ab", "b", "c"])
    async with serving(server, REVISION) as wire:
        assert await values(wire, prompt("style", "B")) == ["b", "ab"]


@pytest.mark.parametrize("revision", ALL)
async def test_an_argument_without_completer_answers_an_empty_list(revision: str) -> None:
    server = served()
    server.add_prompt(lambda_named, name="plain")
    async with serving(server, revision) as wire:
        found = await completed(wire, prompt("word", "x", "plain"))
        assert found == {"values": [], "total": 0, "hasMore": False}


def lambda_named(word: str) -> str:
    return word


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("completion.context-arguments", revisions=WITH_CONTEXT)
async def test_the_arguments_that_are_settled_reach_a_completer_where_the_revision_has_them(revision: str) -> None:
    context = {"arguments": {"unit": "kelvin", "unknown": "x"}}
    async with serving(served(), revision) as wire:
        (found,) = await values(wire, {**resource("station", "ly"), "context": context})
        settled = [("unit", "kelvin")] if revision in WITH_CONTEXT else []
        assert found == f"ly/{settled}/{revision}"
        empties: list[Json] = [{}, {"arguments": {}}]
        for empty in empties:
            (found,) = await values(wire, {**resource("station", "ly"), "context": empty})
            assert found == f"ly/[]/{revision}"


RETURNS: list[tuple[Any, Json]] = [
    ([], {"values": [], "total": 0, "hasMore": False}),
    (None, {"values": [], "total": 0, "hasMore": False}),
    (("a", "b"), {"values": ["a", "b"], "total": 2, "hasMore": False}),
    ([5, Colour.RED], {"values": ["5", "red"], "total": 2, "hasMore": False}),
    ([str(n) for n in range(100)], {"values": [str(n) for n in range(100)], "total": 100, "hasMore": False}),
    ([str(n) for n in range(101)], {"values": [str(n) for n in range(100)], "total": 101, "hasMore": True}),
    (range(5000), {"values": [str(n) for n in range(100)], "total": 5000, "hasMore": True}),
    (lambda: iter(range(5000)), {"values": [str(n) for n in range(100)], "hasMore": True}),
    (lambda: iter(range(2)), {"values": ["0", "1"], "total": 2, "hasMore": False}),
    (Completion(values=["a"]), {"values": ["a"]}),
    (Completion(values=["a"], total=7, has_more=True), {"values": ["a"], "total": 7, "hasMore": True}),
    (
        Completion.model_construct(values=[str(n) for n in range(150)], total=150, has_more=False),
        {"values": [str(n) for n in range(100)], "total": 150, "hasMore": True},
    ),
]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("completion.max-100")
async def test_at_most_a_hundred_values_leave_and_the_answer_tells_of_the_rest(revision: str) -> None:
    for returned, expected in RETURNS:
        server = Server("demo")
        server.add_prompt(lambda_named, name="plain")
        server.complete(prompt="plain", argument="word")(answering(returned))
        async with serving(server, revision) as wire:
            assert await completed(wire, prompt("word", "", "plain")) == expected


def answering(returned: Any) -> Any:
    async def complete(value: str) -> Any:
        return returned() if callable(returned) else returned

    return complete


# ---- who offers it


async def declared(server: Server, revision: str) -> Json:
    async with unopened(server, revision) as wire:
        if revision in OLD:
            return (await opened(wire))["capabilities"]
        return (await wire.ask("server/discover"))["result"]["capabilities"]


@pytest.mark.parametrize("revision", DECLARING)
@pytest.mark.requirement("completion.capability-declared")
async def test_a_server_that_completes_anything_declares_it(revision: str) -> None:
    assert (await declared(served(), revision))["completions"] == {}
    by_type = Server("demo")
    by_type.add_resource("x://{station}/{unit}", readings)
    assert "completions" in await declared(by_type, revision)
    none = Server("demo")
    none.add_prompt(lambda_named)
    assert "completions" not in await declared(none, revision)
    assert "completions" in await declared(Server("demo", offers="completions"), revision)


@pytest.mark.requirement("completion.no-capability", revisions=["2024-11-05"])
async def test_the_oldest_revision_completes_without_declaring_it() -> None:
    assert "completions" not in await declared(served(), "2024-11-05")
    async with serving(served(), "2024-11-05") as wire:
        assert await values(wire, prompt("language", "j")) == ["java"]


async def test_a_completer_that_is_registered_while_a_client_is_connected_counts_at_once() -> None:
    server = Server("demo")
    server.add_prompt(lambda_named, name="plain")
    async with serving(server, REVISION) as wire:
        assert (await wire.error("completion/complete", prompt("word", "", "plain")))["code"] == -32601
        server.complete(prompt="plain", argument="word")(lambda value: [value * 2])
        assert await values(wire, prompt("word", "ab", "plain")) == ["abab"]
        server.remove_prompt("plain")
        server.add_prompt(lambda_named, name="plain")
        assert await values(wire, prompt("word", "ab", "plain")) == []


# ---- mistakes


MISTAKES: list[tuple[Json, str]] = [
    ({}, "completion/complete: ref is missing"),
    ({"ref": []}, "completion/complete: ref must be an object"),
    ({"ref": {"type": "ref/tool"}}, "completion/complete: ref.type is 'ref/prompt' or 'ref/resource', not 'ref/tool'"),
    ({"ref": {"type": "ref/prompt"}}, "completion/complete: ref.name is missing"),
    ({"ref": {"type": "ref/resource", "uri": 5}}, "completion/complete: ref.uri must be a string"),
    ({"ref": prompt("x")["ref"]}, "completion/complete: argument is missing"),
    ({"ref": prompt("x")["ref"], "argument": {}}, "completion/complete: argument.name is missing"),
    (prompt("language", 5), "completion/complete: argument.value must be a string"),
    (prompt("x", "", "reviw"), "Unknown prompt 'reviw' on server 'Demo'. Did you mean 'review'?"),
    (prompt("zzz"), "prompt 'review' has no argument 'zzz'."),
    (prompt("langage"), "prompt 'review' has no argument 'langage'. Did you mean 'language'?"),
    (
        resource("unit", "", "station://{station}/{unt}"),
        "Unknown resource template 'station://{station}/{unt}'. Did you mean 'station://{station}/{unit}'?",
    ),
    (resource("unti"), "resource 'station://{station}/{unit}' has no argument 'unti'. Did you mean 'unit'?"),
    (resource("x", "", "a://fixed"), "resource 'a://fixed' has no argument 'x'."),
]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("completion.errors", revisions=DECLARING)
@pytest.mark.requirement("completion.server-validates", "completion.security")
async def test_p24_what_cannot_be_completed_is_refused_in_one_line_before_any_completer_runs(revision: str) -> None:
    server = served()
    ran: list[str] = []
    server.complete(prompt="review", argument="colour")(lambda value: ran.append(value))
    async with serving(server, revision) as wire:
        for params, line in MISTAKES:
            assert await wire.error("completion/complete", params) == {"code": -32602, "message": line}
        assert ran == []
    async with serving(Server("none"), revision) as wire:
        assert (await wire.error("completion/complete", prompt("x")))["code"] == -32601


@pytest.mark.parametrize("revision", WITH_CONTEXT)
@pytest.mark.requirement("completion.security")
@pytest.mark.parametrize("context", [[], "x", {"arguments": []}, {"arguments": {"unit": 5}}])
async def test_a_context_that_is_none_is_refused(revision: str, context: Json) -> None:
    async with serving(served(), revision) as wire:
        error = await wire.error("completion/complete", {**resource("station"), "context": context})
        assert error["code"] == -32602
        assert error["message"].startswith("completion/complete: context")


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("completion.errors", revisions=DECLARING)
async def test_p19_an_exception_in_a_completer_tells_the_client_nothing_but_an_id(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = served()

    def broken(value: str) -> list[str]:
        raise RuntimeError("hunter2")

    server.complete(prompt="review", argument="style")(broken)
    server.complete(prompt="review", argument="colour")(lambda value: "one text")
    server.complete(prompt="review", argument="strict")(refuse)
    async with serving(server, revision) as wire:
        for name in ("style", "colour"):
            error = await wire.error("completion/complete", prompt(name))
            assert error["code"] == -32603
            assert error["message"].startswith(f"The completion of '{name}' of prompt 'review' failed unexpectedly")
            assert "hunter2" not in error["message"]
        assert await wire.error("completion/complete", prompt("strict")) == {"code": -32603, "message": "not now"}
        await wire.silent()
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "hunter2" in texts[0]
    assert "a completer returns a list of texts, not str" in texts[1]


def refuse(value: str) -> list[str]:
    raise ProtocolError("not now")


def test_registering_for_what_does_not_exist_is_refused_with_the_nearest_name() -> None:
    server = served()
    cases: list[tuple[Any, type[Exception], str]] = [
        ({"argument": "x"}, TypeError, "either the prompt's name or the resource's URI template"),
        ({"argument": "x", "prompt": "a", "resource": "b"}, TypeError, "either the prompt's name"),
        ({"argument": "x", "prompt": "reviw"}, ValueError, r"there is no prompt 'reviw'\. Did you mean 'review'\?"),
        ({"argument": "lnguage", "prompt": "review"}, ValueError, r"no argument 'lnguage'\. Did you mean 'language'\?"),
        ({"argument": "language", "prompt": "review"}, ValueError, "completed already"),
        ({"argument": "x", "resource": "a://fixed"}, ValueError, "there is no resource template 'a://fixed'"),
        ({"argument": "unt", "resource": "station://{station}/{unit}"}, ValueError, "Did you mean 'unit'"),
    ]
    for options, kind, text in cases:
        with pytest.raises(kind, match=text):
            server.complete(**options)(lambda value: [value])
    with pytest.raises(TypeError, match="parameter 'more' gets nothing"):
        server.complete(prompt="review", argument="style")(takes_too_much)


def takes_too_much(value: str, more: str) -> list[str]:
    return [value, more]


# ---- how often


@pytest.mark.requirement("completion.security", "completion.server-rate-limit")
@pytest.mark.parametrize("revision", ALL)
async def test_requests_beyond_the_rate_do_not_reach_a_completer(revision: str) -> None:
    limits: Limits = SERVER_LIMITS.but(completions_per_second=3)
    server = Server("demo", limits=limits)
    ran: list[str] = []
    server.add_prompt(lambda_named, name="plain")

    @server.complete(prompt="plain", argument="word")
    async def count(value: str) -> list[str]:
        ran.append(value)
        return []

    async with serving(server, revision) as wire:
        ids = [wire.request("completion/complete", prompt("word", str(n), "plain")) for n in range(20)]
        answers = [await wire.read() for _ in ids]
        refused = [answer["error"] for answer in answers if "error" in answer]
        assert len(ran) == 20 - len(refused) < 20
        assert refused[0] == {"code": -32603, "message": "Too many completion requests; try again later"}


def test_a_rate_lets_so_many_through_at_once_and_more_as_time_goes_by_each_asker_for_itself() -> None:
    rate = Rate(4)
    assert [rate.allows("a", 0.0) for _ in range(6)] == [True] * 4 + [False] * 2
    assert rate.allows("b", 0.0)
    assert [rate.allows("a", 0.5) for _ in range(3)] == [True, True, False]
    assert [rate.allows("a", 100.0) for _ in range(6)] == [True] * 4 + [False] * 2
    assert not rate.allows("a", 50.0)
    for number in range(2000):
        rate.allows(number, 100.0)
    assert len(rate._buckets) == 1000


async def test_p23_what_somebody_may_not_see_is_not_completed_for_them() -> None:
    server = Server("Demo")
    server.add_prompt(review, visible=lambda ctx: False)
    server.add_resource("station://{station}/{unit}", readings, visible=lambda ctx: False)
    async with serving(server, REVISION) as wire:
        error = await wire.error("completion/complete", prompt("style"))
        assert error["message"] == "Unknown prompt 'review' on server 'Demo'."
        error = await wire.error("completion/complete", resource("unit"))
        assert error["message"] == "Unknown resource template 'station://{station}/{unit}'."


@pytest.mark.parametrize("uri", ["station://{station}/{unit}", "station://lyon/kelvin"])
async def test_a_template_is_referred_to_as_it_was_written_or_by_a_uri_of_it(uri: str) -> None:
    async with serving(served(), REVISION) as wire:
        assert await values(wire, resource("unit", "c", uri)) == ["celsius"]
