"""Which methods a server answers, in each revision: a table per revision, made from what is offered.

A method that a revision does not have, or whose capability the server does not declare, is simply not in the table.
Below: the generated method table.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from mcport.core.dialects.contract import Admitted
from mcport.core.jsonrpc import JsonObject
from mcport.session.exchange import Exchange
from mcport.spec.methods import METHODS
from mcport.spec.revisions import Revision

RunsThrough: TypeAlias = Callable[[JsonObject], bool]

Route: TypeAlias = Callable[[Exchange, Admitted], Awaitable[object]]
"""Serves one method: returns a JSON object, a model, dressed bytes or `StaysOpen`, or raises a `ProtocolError`."""


class Routes:
    """The tables of one server.

    `offered` returns the routes of all methods that are offered at this moment, which extensions do by revision;
    `around` puts middleware around one, or returns it as it is. `running_through` are methods with nothing around them
    of which it may be told, by the parameters of a request, that it is answered without waiting.
    """

    def __init__(
        self,
        offered: Callable[[Revision], Mapping[str, Route]],
        around: Callable[[str, Route], Route] | None = None,
        running_through: Mapping[str, RunsThrough] | None = None,
    ) -> None:
        self._offered = offered
        self._around = around or _bare
        self._foreseeable = running_through or {}
        self._tables: dict[str, dict[str, Route]] = {}
        self.running_through: dict[str, RunsThrough] = {}

    def table(self, revision: Revision) -> dict[str, Route]:
        """Return the methods that clients may call in a revision."""
        table = self._tables.get(revision.name)
        return table if table is not None else self._made(revision)

    def _made(self, revision: Revision) -> dict[str, Route]:
        tables, running_through = self._tables, self.running_through
        bare = {
            method: route
            for method, route in self._offered(revision).items()
            if method not in METHODS or revision.name in METHODS[method].from_client
        }
        table = tables[revision.name] = {method: self._around(method, route) for method, route in bare.items()}
        running_through |= {
            method: foreseen for method, foreseen in self._foreseeable.items() if table.get(method) is bare.get(method)
        }
        return table

    def changed(self) -> None:
        """What is offered changed: make the tables anew when they are next needed. From any thread."""
        self.running_through = {}
        self._tables = {}  # not cleared: another thread may be filling the old ones


def _bare(method: str, route: Route) -> Route:
    return route
