"""A page of a list is the same bytes as the facade's types would write, in every revision."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from mcport.core.uri_template import UriTemplate
from mcport.server.offering.cache_hint import NEVER, CacheHint
from mcport.server.offering.page import Page
from mcport.server.offering.prompts import PromptEntry, prompts_page
from mcport.server.offering.resources import ResourceEntry, resources_page, templates_page
from mcport.server.offering.tools import ToolEntry, tools_page
from mcport.server.results.structured import Structured
from mcport.server.results.tool_list import ToolList
from mcport.server.signature import Reading, Signature
from mcport.spec.model import Model
from mcport.spec.types import (
    Annotations,
    Icon,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    Prompt,
    PromptArgument,
    Resource,
    ResourceTemplate,
    Tool,
    ToolAnnotations,
)
from tests.server.wire import ALL

texts = st.none() | st.text(max_size=8)
icon = st.builds(Icon, src=st.just("https://x.example/a"), sizes=st.none() | st.just(["any"]))
icons = st.none() | st.lists(icon | st.just({"src": "https://x.example/b", "mimeType": "image/png"}))
metas = st.none() | st.dictionaries(st.sampled_from(["example.com/a", "b"]), st.none() | st.integers(), max_size=2)
said = {"title": texts, "description": texts, "icons": icons, "meta": metas}
dated = {"lastModified": "2026-01-01T00:00:00Z", "own": [1]}
marks = st.none() | st.just(dated) | st.builds(Annotations, priority=st.none() | st.just(0.5), last_modified=texts)
hints = st.none() | st.builds(
    ToolAnnotations, title=texts, read_only_hint=st.none() | st.booleans(), open_world_hint=st.none() | st.booleans()
)
schemas = st.sampled_from([None, {"type": "object"}, {"type": "integer", "title": "n"}, {}])
laws = settings(max_examples=40, deadline=None, derandomize=True)


def handler(a: int, b: str = "x") -> str:
    return b * a


SIGNATURE = Signature(handler, Reading("handler"))


def written(revision: str, page: Page, model: Model, hint: CacheHint = NEVER) -> None:
    """Both are the same text, and whoever looks at the page sees the same value."""
    assert page.to_json(revision) == hint.put(model).to_json(revision)
    assert page.model().to_json(revision) == page.to_json(revision)
    assert type(page.model()) is page.kind is type(model)


@laws
@given(given=st.fixed_dictionaries({**said, "annotations": hints}), schema=schemas, cursor=texts)
@pytest.mark.parametrize("revision", ALL)
def test_a_page_of_tools(revision: str, given: Any, schema: Any, cursor: str | None) -> None:
    output = None if schema is None else Structured(schema, to_json)
    entry = ToolEntry(function=handler, signature=SIGNATURE, name="t", output=output, **given)
    shown = {**given, "description": given["description"] or None}
    tool = Tool(name="t", input_schema=SIGNATURE.input_schema, output_schema=schema, **shown)
    page = Page("tools", tools_page, [entry, entry], cursor, NEVER)
    written(revision, page, ToolList(tools=[tool, tool], next_cursor=cursor))


@laws
@given(given=st.fixed_dictionaries(said))
@pytest.mark.parametrize("revision", ALL)
def test_a_page_of_prompts(revision: str, given: Any) -> None:
    entry = PromptEntry(function=handler, signature=SIGNATURE, name="p", **given)
    shown = {**given, "description": given["description"] or None}
    arguments = [PromptArgument(name="a", required=True), PromptArgument(name="b", required=False)]
    page = Page("prompts", prompts_page, [entry], None, NEVER)
    written(revision, page, ListPromptsResult(prompts=[Prompt(name="p", arguments=arguments, **shown)]))


@laws
@given(given=st.fixed_dictionaries({**said, "annotations": marks, "mime_type": texts, "size": st.none() | st.just(7)}))
@pytest.mark.parametrize("revision", ALL)
def test_a_page_of_resources_and_one_of_templates(revision: str, given: Any) -> None:
    shown = {**given, "description": given["description"] or None, "name": "handler"}
    entry = ResourceEntry(function=handler, signature=SIGNATURE, key="a://b", template=None, **given)
    page = Page("resources", resources_page, [entry], "c", NEVER)
    written(revision, page, ListResourcesResult(resources=[Resource(uri="a://b", **shown)], next_cursor="c"))

    del shown["size"]
    entry = ResourceEntry(
        function=handler, signature=SIGNATURE, key="a://{b}", template=UriTemplate.parse("a://{b}"), **given
    )
    page = Page("resourceTemplates", templates_page, [entry], None, NEVER)
    template = ResourceTemplate(uri_template="a://{b}", **shown)
    written(revision, page, ListResourceTemplatesResult(resource_templates=[template]))


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("hint", [CacheHint(), CacheHint(5), CacheHint(0, "public"), CacheHint(5, "public")])
def test_a_page_says_how_long_it_may_be_kept(revision: str, hint: CacheHint) -> None:
    page = Page("prompts", prompts_page, [], None, hint)
    model = hint.put(ListPromptsResult(prompts=[]))
    assert json.loads(page.to_json(revision)) == json.loads(model.to_json(revision))
    assert json.loads(page.model().to_json(revision)) == json.loads(model.to_json(revision))
