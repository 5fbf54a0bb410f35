"""The shipped answer to a form: its defaults, as the server wrote them.

Below: `form` and the facade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .form import fault_of_answer

if TYPE_CHECKING:
    from mcport.spec.types import ElicitRequestFormParams, ElicitResult


async def fill_defaults(question: ElicitRequestFormParams) -> ElicitResult:
    """Answer a form with the defaults of its fields, without asking anybody; for tests and scripts.

        Client("server.py", elicit=fill_defaults)

    Fields without a default are left out. Declines where a field without one is required, or where a default does not
    fit its own field. See client/elicitation of the specification.
    """
    from mcport.spec.types import ElicitResult

    schema = question.requested_schema.to_wire()
    fields = schema["properties"]
    content = {name: field["default"] for name, field in fields.items() if "default" in field}
    if fault_of_answer(schema, content) is not None:
        return ElicitResult(action="decline")
    return ElicitResult(action="accept", content=content)
