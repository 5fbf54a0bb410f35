"""What a request is told that is not let in: a status, one line, and challenges (RFC 6750 3, RFC 9449 7.1).

It knows neither tokens nor HTTP requests. Below: `auth.challenge`.
"""

from __future__ import annotations

from collections.abc import Mapping


class Denied(Exception):
    """A request is not let in: 400 it is malformed, 401 it has no good token, 403 its token is not enough, 503 nobody
    can tell for now. `headers` hold the challenges.
    """

    def __init__(self, status: int, line: str, headers: Mapping[str, str]) -> None:
        super().__init__(line)
        self.status = status
        self.line = line
        self.headers = headers


class Unverifiable(Exception):
    """A token cannot be judged for now: the issuer cannot be reached. The message says why, for the log."""
