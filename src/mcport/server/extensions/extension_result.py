"""A result of a type that an extension adds. A value: whether it may go out is decided where it does."""

from __future__ import annotations

from mcport.core.jsonrpc import JsonObject


class ExtensionResult:
    """A result with a `resultType` of its own: `kind`, and the other members as on the wire.

    `Extension.result` makes it. Tools, methods of extensions and middleware may answer with one.
    """

    __slots__ = ("kind", "members")

    def __init__(self, kind: str, members: JsonObject) -> None:
        self.kind = kind
        self.members = members

    def __repr__(self) -> str:
        return f"ExtensionResult({self.kind!r}, {self.members!r})"

    def wire(self) -> JsonObject:
        """Return the result as it goes out."""
        return {**self.members, "resultType": self.kind}
