"""What a Python callable takes, as a JSON Schema to advertise and a binder to call.

Knows Python callables, annotations and docstrings, and the values that JSON has. Refuses to know
messages, sessions, revisions and what the callable is served as. Below sits pydantic alone.
"""

from .problems import ArgumentsInvalid
from .signature import Signature

__all__ = ["ArgumentsInvalid", "Signature"]
