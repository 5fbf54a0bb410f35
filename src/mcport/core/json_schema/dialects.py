"""The dialects of JSON Schema that are understood, by the names that schemas give them. Below: the error page."""

from __future__ import annotations

from typing import Any, Final

from mcport.errors import SchemaRefused

DIALECTS: Final = {
    "https://json-schema.org/draft/2020-12/schema": "2020-12",
    "https://json-schema.org/draft/2019-09/schema": "2019-09",
    "http://json-schema.org/draft-07/schema": "draft-07",
    "http://json-schema.org/draft-06/schema": "draft-06",
    "http://json-schema.org/draft-04/schema": "draft-04",
}
"""The dialects that a schema may name in `$schema`."""

DEFAULT: Final = "2020-12"
"""What holds for a schema that names none (basic/index, "Schema Dialect")."""


def dialect_of(schema: Any) -> str:
    """Return the dialect of a schema by its short name. Raises `SchemaRefused` for one that is not supported."""
    if not isinstance(schema, dict) or "$schema" not in schema:
        return DEFAULT
    named = schema["$schema"]
    dialect = DIALECTS.get(named.removesuffix("#")) if isinstance(named, str) else None
    if dialect is None:
        known = ", ".join(DIALECTS.values())
        raise SchemaRefused(f"the JSON Schema dialect {named!r:.200} is not supported; supported are {known}")
    return dialect
