"""A page of tools, each with its output schema as the reader's revision knows it.

It is loaded when somebody looks at a list of tools on its way out. Below: the facade types, `structured`.
"""

from __future__ import annotations

from mcport.spec.revisions import REVISIONS, Revision
from mcport.spec.types import ListToolsResult, Tool

from .structured import declared


class ToolList(ListToolsResult):
    """A page of tools that says of values which are no objects how older revisions get them."""

    def to_json(self, revision: str | None = None) -> bytes:
        """Return the page as JSON; see `Model.to_json`."""
        if revision is None or REVISIONS[revision].structured_any_json:
            return super().to_json(revision)
        older = self.model_copy(update={"tools": [_older(tool, REVISIONS[revision]) for tool in self.tools]})
        return super(ToolList, older).to_json(revision)


def _older(tool: Tool, revision: Revision) -> Tool:
    schema = tool.output_schema
    return tool if schema is None else tool.model_copy(update={"output_schema": declared(schema, revision)})
