"""Checking JSON values against JSON Schemas of others, with bounds on the work and without fetching anything.

Dialects: 2020-12, which holds where a schema names none, and 2019-09, draft-07, draft-06 and draft-04 (basic/index,
"JSON Schema Usage"). `format` is an annotation. Refuses to know tools, messages and revisions. Below sits the library
jsonschema-rs, which is loaded when a schema is first compiled.
"""

from .checker import Checker, compile_schema
from .wording import Words

__all__ = ["Checker", "Words", "compile_schema"]
