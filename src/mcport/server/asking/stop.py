"""The stop: what ends a run whose questions go out in its answer, to be run again when the answers are here.

It is no `Exception`, so that `except Exception` in a handler lets it pass. Nothing sits below.
"""

from __future__ import annotations


class RunStopped(BaseException):
    """This run is over: the client is asked first, and the handler runs again with the answers."""
