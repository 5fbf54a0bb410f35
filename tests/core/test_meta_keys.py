"""Which keys an application may use in `_meta`, by revision, and the form of trace context."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.core.dialects import contract
from mcport.core.meta_keys import check_meta, fault_of
from mcport.core.trace_context import FORMS, is_baggage, is_traceparent, is_tracestate
from mcport.spec.revisions import LATEST, REVISIONS, Revision

RULED = [revision for revision in REVISIONS.values() if revision.has_titles]
OPEN = [revision for revision in REVISIONS.values() if not revision.has_titles]
BY_NAME = attrgetter("name")
BEFORE_LAST, *_ = sorted(RULED, key=BY_NAME)

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


def allowed(key: str, revision: Revision, value: object = 1) -> bool:
    return fault_of(key, value, revision) is None


@pytest.mark.parametrize("revision", RULED, ids=BY_NAME)
@pytest.mark.requirement("meta.name-format", "meta.prefix-format", "meta.prefix-label-format", "meta.name-interior")
@pytest.mark.parametrize(
    "key",
    [
        "a",
        "A9",
        "a-b_c.d",
        "a..b",
        "",
        "com.example/a",
        "com.example/",
        "x/9",
        "c0m.ex--ample.z9/a_b",
        "com.example.mcp/a",
    ],
)
def test_a_key_of_the_right_form_is_allowed(revision: Revision, key: str) -> None:
    assert allowed(key, revision)


@pytest.mark.parametrize("revision", RULED, ids=BY_NAME)
@pytest.mark.requirement("meta.name-format")
@pytest.mark.parametrize("name", ["-", "_a", "a_", ".a", "a.", "a-", "a b", "a:b", "é", "aé", "٣", "a\n", "a/b", "/"])
def test_a_name_of_another_form_is_refused(revision: Revision, name: str) -> None:
    assert "name" in str(fault_of(f"com.example/{name}", 1, revision))
    assert "/" in name or not allowed(name, revision)


@pytest.mark.parametrize("revision", RULED, ids=BY_NAME)
@pytest.mark.requirement("meta.prefix-format", "meta.prefix-label-format")
@pytest.mark.parametrize(
    "prefix",
    ["", ".", "9com", "com.", ".com", "com..example", "-a", "a-", "com.9x", "a_b", "a b", "é", "com.e\n"],
)
def test_a_prefix_of_another_form_is_refused(revision: Revision, prefix: str) -> None:
    assert "prefix" in str(fault_of(f"{prefix}/a", 1, revision))


@pytest.mark.parametrize("revision", RULED, ids=BY_NAME)
@pytest.mark.requirement("meta.prefix-reserved")
@pytest.mark.parametrize(
    ("prefix", "by_second", "by_last_but_one"),
    [
        ("mcp.dev", False, True),
        ("modelcontextprotocol.io", False, True),
        ("tools.mcp.com", True, True),
        ("api.modelcontextprotocol.org", True, True),
        ("io.modelcontextprotocol", True, False),
        ("dev.mcp", True, False),
        ("com.mcp.tools.more", True, False),
        ("a.b.mcp.c", False, True),
        ("com.example.mcp", False, False),
        ("mcp", False, False),
        ("com.mcpx", False, False),
        ("com.MCP", False, False),
    ],
)
def test_prefixes_of_the_protocol_are_refused(
    revision: Revision, prefix: str, by_second: bool, by_last_but_one: bool
) -> None:
    reserved = by_last_but_one if revision is BEFORE_LAST else by_second
    assert allowed(f"{prefix}/a", revision) != reserved


@pytest.mark.requirement("meta.prefix-reserved", revisions=["2025-11-25", "2026-07-28"])
def test_no_key_of_the_library_is_an_applications() -> None:
    keys = [value for name, value in vars(contract).items() if name.startswith("META_")]
    assert len(keys) >= 6
    for revision in RULED[:2]:
        assert not any(allowed(key, revision) for key in keys)


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=BY_NAME)
@pytest.mark.requirement("progress.token-unique")
def test_a_progress_token_is_not_the_applications_to_give(revision: Revision) -> None:
    assert not allowed(contract.PROGRESS_TOKEN, revision)


@pytest.mark.parametrize("revision", OPEN, ids=BY_NAME)
def test_older_revisions_leave_the_keys_open(revision: Revision) -> None:
    assert all(allowed(key, revision) for key in ("é", "mcp.dev/a", "a/b/c", "-", "traceparent"))


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=BY_NAME)
@given(key=st.text("ab9.-_/ Cé", max_size=12))
@settings(max_examples=60)
def test_a_key_is_judged_as_the_grammar_says(revision: Revision, key: str) -> None:
    label = "[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?"
    grammar = rf"({label}(\.{label})*/)?([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?"
    assert allowed(key, revision) == (revision in OPEN or re.fullmatch(grammar, key) is not None)


def test_metadata_is_checked_for_every_revision_and_the_fault_is_one_line() -> None:
    check_meta({"a": 1, "com.example/b": None}, REVISIONS.values())
    check_meta({"dev.mcp/a": 1}, [BEFORE_LAST])
    with pytest.raises(ValueError, match=r"^_meta key 'dev\.mcp/a': the prefix is reserved .*\(protocol version "):
        check_meta({"dev.mcp/a": 1}, [BEFORE_LAST, LATEST])
    with pytest.raises(ValueError, match=r"^_meta key 5: a key is a string"):
        check_meta({5: 1}, RULED)  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=r"^_meta must be an object, not list$"):
        check_meta([], RULED)  # type: ignore[arg-type]


def test_long_keys_are_judged_in_linear_time() -> None:
    for key in ("a-" * 50_000, "a" * 100_000 + "-/b", "a." * 50_000 + "/", "-" * 100_000):
        assert not allowed(key, LATEST)


# ---- trace context


@pytest.mark.requirement("meta.trace-context-format")
@pytest.mark.parametrize(
    ("value", "right"),
    [
        (f"00-{TRACE}-{PARENT}-01", True),
        (f"00-{TRACE}-{PARENT}-00", True),
        (f"cc-{TRACE}-{PARENT}-01", True),
        (f"cc-{TRACE}-{PARENT}-01-what.comes", True),
        (f"00-{TRACE}-{PARENT}-01-what.comes", False),
        (f"ff-{TRACE}-{PARENT}-01", False),
        (f"00-{'0' * 32}-{PARENT}-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        (f"00-{TRACE.upper()}-{PARENT}-01", False),
        (f"00-{TRACE}-{PARENT}-1", False),
        (f"00-{TRACE}-{PARENT}", False),
        (f"00-{TRACE[1:]}-{PARENT}-01", False),
        (f" 00-{TRACE}-{PARENT}-01", False),
        (f"00-{TRACE}-{PARENT}-01\n", False),
        ("", False),
    ],
)
def test_a_traceparent_has_the_form_of_trace_context(value: str, right: bool) -> None:
    assert is_traceparent(value) == right


@pytest.mark.requirement("meta.trace-context-format")
@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("congo=t61rcWkgMzE", True),
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", True),
        ("a=1 , b=2\t,c=3", True),
        ("a=1,,b=2", True),
        ("fw529a3039@dt=FfIxODg7", True),
        ("a=" + "x" * 256, True),
        (",".join(f"k{i}=v" for i in range(32)), True),
        (",".join(f"k{i}=v" for i in range(33)), False),
        ("a=1,a=2", False),
        ("a=" + "x" * 257, False),
        ("A=1", False),
        ("a", False),
        ("a=", False),
        ("a=b=c", False),
        ("a=é", False),
        ("a=1;b", True),
        ("", True),
        ("a b=1", False),
        ("@a=1", False),
        ("a=1\n", False),
    ],
)
def test_a_tracestate_has_the_form_of_trace_context(value: str, right: bool) -> None:
    assert is_tracestate(value) == right


@pytest.mark.requirement("meta.trace-context-format")
@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("a=1", True),
        ("a=", True),
        ("userId=Am%C3%A9lie , server=db=1;prop ; p2 = v,x=y", True),
        ("a", False),
        ("", False),
        ("a=1,", False),
        ("=1", False),
        ("a=1;", False),
        ("a=1;=2", False),
        ('a="1"', False),
        ("a=1 2", False),
        ("a=é", False),
        ("a(b)=1", False),
        ("a=\\", False),
    ],
)
def test_baggage_has_its_own_form(value: str, right: bool) -> None:
    assert is_baggage(value) == right


@pytest.mark.requirement("meta.trace-context-format")
def test_trace_keys_need_no_prefix_and_their_values_are_checked() -> None:
    right: dict[str, Any] = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "a=1", "baggage": "a=1"}
    assert right.keys() == FORMS.keys()
    check_meta(right, [LATEST])
    for key in right:
        for wrong in ("\n", None, 1, [right[key]]):
            with pytest.raises(ValueError, match=f"the value has not the form of a W3C {key}"):
                check_meta({**right, key: wrong}, [LATEST])
