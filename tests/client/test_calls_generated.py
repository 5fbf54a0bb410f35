"""The generated calls cover the method table, and importing them loads no types."""

import inspect
import subprocess
import sys

import pytest

from mcport.client.calls import Calls
from mcport.client.tool_calls.tool_calls import ToolCalls
from mcport.spec.methods import METHODS
from tests.client.test_calls import CASES

BY_HAND = {"initialize", "subscriptions/listen", "tools/call"}


def test_there_is_a_call_for_each_request_that_a_client_may_send() -> None:
    requests = {method.name for method in METHODS.values() if method.kind == "request" and method.from_client}
    assert {method for _, _, method, _ in CASES} == requests - BY_HAND | {"tools/call"}


def test_each_call_is_documented_and_says_what_it_raises_and_its_page() -> None:
    members = {**vars(Calls), "call_tool": ToolCalls.call_tool}
    calls = {name: each for name, each in members.items() if inspect.isfunction(each)}
    assert {name for name, *_ in CASES} <= calls.keys()
    for name, call in calls.items():
        words = inspect.getdoc(call) or ""
        assert "Raises" in words, name
        assert " of the specification." in " ".join(words.split()), name
        for parameter in inspect.signature(call).parameters:
            assert parameter == "self" or f"`{parameter}`" in words, (name, parameter)


def test_options_are_keywords_and_the_rest_may_be_positional() -> None:
    for name, *_ in CASES:
        parameters = inspect.signature(getattr(ToolCalls, name)).parameters
        keywords = [each.name for each in parameters.values() if each.kind is each.KEYWORD_ONLY]
        plain = [each for each in keywords if each not in ("fresh", "as_")]
        assert plain in (["timeout", "meta"], ["timeout", "progress", "meta", "rounds"])


@pytest.mark.parametrize("module", ["mcport.client.client", "mcport.client.calls"])
def test_importing_the_client_loads_no_types(module: str) -> None:
    """P17."""
    script = f"import sys, {module}; print([name for name in sys.modules if name.startswith('mcport.spec.types')])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="src")
    assert run.stdout.strip() == "[]"
