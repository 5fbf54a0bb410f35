"""One change that clients may be told of, as it travels to those who serve them. Below: `core.jsonrpc`."""

from __future__ import annotations

from mcport.core.dialects.listening import Topic
from mcport.core.jsonrpc import JsonObject, dump, parse_json
from mcport.record import Record


class Notice(Record, eq=False):
    """A notification before it is made out to anybody.

    `topic` is what it is about. Those that `merge` say only that something is not as it was, so that one which still
    waits stands for all that come after it.
    """

    method: str
    params: JsonObject | None
    topic: Topic
    merges: bool

    @property
    def key(self) -> object:
        """What it is kept under while it waits: notices of one key merge."""
        return self.topic if self.merges else self


def write_notice(method: str, params: JsonObject | None) -> bytes:
    """Return the bytes of a notification for the port; raises ValueError for what cannot be JSON."""
    return dump({"method": method, "params": params})


def read_notice(data: bytes) -> tuple[str, JsonObject | None]:
    """Return method and parameters. Raises ValueError for what is no notice."""
    value = parse_json(data)
    if type(value) is not dict or type(value.get("method")) is not str:
        raise ValueError("a notice has a method")
    params = value.get("params")
    return value["method"], params if type(params) is dict else None
