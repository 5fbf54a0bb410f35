"""The error of a command line that asks for something that is not there."""

from __future__ import annotations


class UsageError(Exception):
    """Its text is the one line that the person reads."""
