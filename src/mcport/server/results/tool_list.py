"""A page of tools, each with its output schema as the reader's revision knows it.

It is loaded when tools are first listed. Below: the facade types, `structured`.
"""

from __future__ import annotations

from mcport.spec.revisions import REVISIONS
from mcport.spec.types import ListToolsResult, Tool

from .structured import wrapped


class ToolList(ListToolsResult):
    """A page of tools that says of values which are no objects how older revisions get them."""

    def to_json(self, revision: str | None = None) -> bytes:
        """Return the page as JSON; see `Model.to_json`."""
        if revision is None or REVISIONS[revision].structured_any_json:
            return super().to_json(revision)
        older = self.model_copy(update={"tools": [_older(tool) for tool in self.tools]})
        return super(ToolList, older).to_json(revision)


def _older(tool: Tool) -> Tool:
    schema = tool.output_schema
    if schema is None or schema.get("type") == "object":
        return tool
    return tool.model_copy(update={"output_schema": wrapped(schema)})
