"""The mark by which a parameter asks for a value that a function makes. A value only: others read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from mcport.record import Record

Scope: TypeAlias = Literal["call", "process"]


class Mark(Record):
    """Says which function makes the value of a parameter, and for how long the value is good."""

    function: Callable[..., Any]
    scope: Scope = "call"

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(f"Depends takes a function or a class, not {type(self.function).__name__}")
        if self.scope not in ("call", "process"):
            raise ValueError(f"Depends: scope is 'call' or 'process', not {self.scope!r}")


def Depends(function: Callable[..., Any], *, scope: Scope = "call") -> Any:
    """Ask for a value that `function` makes: as the default of a parameter, or in `Annotated[T, Depends(function)]`.

        async def session() -> AsyncIterator[Session]:
            async with connect() as session:
                yield session

        @server.tool
        async def order(number: int, session: Session = Depends(session)) -> str: ...

    The function may be `def` (it then runs in a worker thread), `async def`, or a generator of either kind, whose part
    after the `yield` cleans up once the handler is done; what the handler raised is raised at the `yield`. It may take
    a `Context` and dependencies of its own; everything else it takes must have a default. A class may stand in its
    place: the value is an object of it, made as by a `def` with the parameters of its constructor. Parameters that are
    filled in so never show in a schema. A `def` handler whose dependencies are all `def` shares one thread with them,
    from the first to the last clean-up.

    With `scope="call"` it is called at most once a call, whoever asks; with "process" once in the life of the server,
    when it is first needed, and cleaned up when that life ends. Raises TypeError for what is neither.
    """
    return Mark(function, scope)
