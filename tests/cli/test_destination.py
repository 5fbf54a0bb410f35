"""Which server a command line means."""

import json
from pathlib import Path

import pytest

from mcport.cli.destination import destination
from mcport.cli.usage import UsageError

WEATHER = {"command": "weather", "args": ["--fast"], "env": {"KEY": "1"}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mcp.json"
    path.write_text(json.dumps({"mcpServers": {"weather": WEATHER, "notes": {"command": "notes"}}}))
    return path


def test_the_first_word_names_the_server_and_is_taken_off() -> None:
    words = ["weather.py", "add", "a=1"]
    assert destination(words, []) == "weather.py"
    assert words == ["add", "a=1"]


def test_a_command_behind_the_dashes_leaves_all_words_to_the_call() -> None:
    words = ["add", "a=1"]
    assert destination(words, ["npx", "-y", "server"]) == ["npx", "-y", "server"]
    assert words == ["add", "a=1"]


def test_an_entry_of_a_file_is_named_behind_a_hash_or_by_options(file: Path) -> None:
    assert destination([f"{file}#weather"], []) == WEATHER
    words = ["add"]
    assert destination(words, [], str(file), "weather") == WEATHER
    assert words == ["add"]


def test_the_only_entry_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"servers": {"weather": WEATHER}}))
    assert destination([str(path)], []) == destination([], [], str(path)) == WEATHER


def test_a_bundled_example_is_a_script() -> None:
    found = destination(["example:quickstart"], [])
    assert isinstance(found, Path)
    assert found.name == "quickstart.py"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "no such file: {file}"),
        ("{", "{file} is not JSON: "),
        pytest.param("[" * 200_000, "{file} is not JSON: ", id="deep"),
        ("[]", "{file} names no servers: there is no mcpServers in it"),
        ('{"mcpServers": {}}', "{file} names no servers: there is no mcpServers in it"),
        ('{"mcpServers": {"a": {}, "b": {}}}', "{file} has several servers: name one of a, b"),
        ('{"mcpServers": {"a": 1}}', "{file} has no server 'a'; it has a"),
    ],
)
def test_p24_a_file_without_the_server_is_told_in_one_line(tmp_path: Path, content: str | None, line: str) -> None:
    path = tmp_path / "mcp.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError) as caught:
        destination([str(path)], [])
    assert str(caught.value).startswith(line.format(file=path))


def test_p24_a_name_that_is_not_in_the_file_is_told_with_those_that_are(file: Path) -> None:
    with pytest.raises(UsageError, match="has no server 'wether'; it has weather, notes"):
        destination([f"{file}#wether"], [])


def test_p24_no_server_and_two_servers_are_told_in_one_line() -> None:
    with pytest.raises(UsageError, match="name a server: a script, a URL, FILE"):
        destination([], [])
    with pytest.raises(UsageError, match="both name a server"):
        destination([], ["server"], "mcp.json")
    with pytest.raises(UsageError, match="give both"):
        destination(["add"], [], None, "weather")
