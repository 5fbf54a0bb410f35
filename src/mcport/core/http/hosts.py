"""Which names a server answers to, and from which web pages: the gate against DNS rebinding.

A browser can be made to send requests to any server that it reaches, but not to lie about the host it was told to
reach, nor about the page that told it (2026-07-28 basic/transports/streamable-http "Security & Endpoint"). Below:
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LOOPBACK: Final = ("127.0.0.1:*", "localhost:*", "[::1]:*")

_HOST: Final = re.compile(
    r"(?P<name>[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?\Z"
)
_ORIGIN: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]{0,30})://(?P<host>[^/?#@\s]+)\Z")
_USUAL: Final = {"http": "80", "https": "443"}
_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class Barred:
    """Somebody may not come in: the HTTP status, and one line that names the setting."""

    status: int
    line: str


class Gate:
    """Lets requests in by their Host and Origin.

    Each of `hosts` is `name:port`, `name:*` for every port, or a bare `name` for the usual ones; `*.name` stands for
    what is below a name, and `*` for everything. Pages of these hosts are let in (with `*` those of the host that was
    asked), and those of `origins`, such as `https://app.example.com`; "*" lets all pages in, and "null" those without
    an origin. Raises ValueError for what is neither.
    """

    def __init__(self, hosts: Sequence[str] = LOOPBACK, origins: Sequence[str] = ()) -> None:
        self._hosts = [_pattern(host) for host in hosts]
        self._origins = {_origin(origin) for origin in origins}
        self._known: set[tuple[str, str | None]] = set()

    @property
    def names_origins(self) -> bool:
        """Whether there are pages of other origins that may come in."""
        return bool(self._origins)

    def shares(self, origin: str) -> bool:
        """Return whether pages of an origin are let in by name, or by "*", whatever host they are of."""
        return origin in self._origins or "*" in self._origins

    def judge(self, hosts: Sequence[str], origins: Sequence[str]) -> Barred | None:
        """Judge the values of all Host and Origin headers of a request; None lets it in."""
        if len(hosts) != 1 or len(origins) > 1:
            return Barred(400, "a request has exactly one Host header, and at most one Origin header")
        came = (hosts[0], origins[0] if origins else None)
        if came in self._known:
            return None
        barred = self._judge(*came)
        if barred is None and len(self._known) < _REMEMBERED:
            self._known.add(came)
        return barred

    def _judge(self, host: str, origin: str | None) -> Barred | None:
        found = _HOST.match(host)
        if found is None:
            return Barred(400, f"{host!r:.80} is no Host")
        if not self._knows(found["name"], found["port"], ("80", "443")):
            return Barred(421, f"Host {host!r:.80} is not served here; if it should be: allowed_hosts=[{host!r:.80}]")
        if origin is not None and not self._lets_in(origin, host):
            return Barred(
                403,
                f"pages of {origin!r:.80} may not use this server; if they should: allowed_origins=[{origin!r:.80}]",
            )
        return None

    def _knows(self, name: str, port: str | None, usual: Sequence[str]) -> bool:
        name = name.lower()
        return any(
            (wanted in ("*", name) or (wanted.startswith("*.") and name.endswith(wanted[1:])))
            and (at == "*" or at == port or (at == "" and port in (None, *usual)))
            for wanted, at in self._hosts
        )

    def _lets_in(self, origin: str, asked: str) -> bool:
        if self.shares(origin):
            return True
        found = _ORIGIN.match(origin)
        host = _HOST.match(found["host"]) if found is not None else None
        if found is None or host is None or found["scheme"] not in _USUAL:
            return False
        if ("*", "*") in self._hosts:
            return found["host"].lower() == asked.lower()
        return self._knows(host["name"], host["port"], (_USUAL[found["scheme"]],))


def _pattern(host: str) -> tuple[str, str]:
    """A name and a port, which may be "*" for any and "" for the usual ones."""
    if host == "*":
        return "*", "*"
    plain, below = (host[2:], "*.") if host.startswith("*.") else (host, "")
    name, every = (plain[:-2], True) if plain.endswith(":*") else (plain, False)
    found = _HOST.match(name)
    if found is None or (every and found["port"] is not None):
        raise ValueError(
            f"allowed_hosts has names such as 'example.com', 'localhost:8000' or 'localhost:*', not {host!r}"
        )
    return below + found["name"].lower(), "*" if every else found["port"] or ""


def _origin(origin: str) -> str:
    if origin not in ("*", "null") and _ORIGIN.match(origin) is None:
        raise ValueError(f"allowed_origins has origins such as 'https://app.example.com', not {origin!r}")
    return origin
