"""The errors of a command line. Their text is the one line that the person reads."""

from __future__ import annotations

from mcport.errors import McportError


class UsageError(McportError):
    """It asks for something that is not there."""


class LoadFailed(McportError):
    """A file of the user is there and cannot be loaded."""
