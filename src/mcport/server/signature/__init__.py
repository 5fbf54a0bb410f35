"""What a Python callable takes and returns: JSON Schemas to advertise, a binder to call it, a writer of its values.

Knows Python callables, annotations and docstrings, and the values that JSON has. Refuses to know
messages, sessions, revisions and what the callable is served as. Below sits pydantic alone.
"""

from .output import Output, ReturnInvalid, read_output
from .parameters import Reading
from .problems import ArgumentsInvalid, shown
from .signature import Signature

__all__ = ["ArgumentsInvalid", "Output", "Reading", "ReturnInvalid", "Signature", "read_output", "shown"]
