"""The signature of a callable that is served: what it takes, how to bind a call's arguments, how to call it.

The whole of this room in one object, made once when something is registered. Refuses to know what the callable is
served as. Below sits the rest of the room.
"""

from collections.abc import Collection, Mapping

from .arguments import Arguments
from .builtin_fields import read_fields
from .callables import AnyCallable, documentation, is_async, may_suspend, name_of
from .docstring import read_docstring
from .parameters import Reading, read_parameters
from .plain_schema import Schema

__all__ = ["Signature"]


class Signature:
    """What a callable takes and returns.

    Attributes:
        name: the callable's own name, or the one that it was given.
        summary: the first paragraph of its docstring, on one line.
        description: its docstring without the part about arguments, which stands in the schema.
        input_schema: a plain JSON Schema (2020-12) of the object of its arguments.
        context_parameter: the parameter that takes the context, if one does.
        marked: the parameters that somebody else fills in, with the marks that say so.
        is_async: whether calling it gives a coroutine. A plain function may return one too: await what is awaitable.
        may_suspend: False only if it is a coroutine function that certainly awaits nothing.
        returns: the return annotation, resolved; `inspect.Signature.empty` without one.
        bind: checks parsed JSON arguments, a dict, and returns those to call with; raises `ArgumentsInvalid`.
        bind_texts: the same for arguments that all arrive as text.
    """

    __slots__ = (
        "bind",
        "bind_texts",
        "context_parameter",
        "description",
        "input_schema",
        "is_async",
        "marked",
        "may_suspend",
        "name",
        "returns",
        "summary",
    )

    @classmethod
    def of(
        cls,
        function: AnyCallable,
        *,
        context_type: type | None = None,
        injected: Collection[str] = (),
        name: str | None = None,
        names: Mapping[str, object] | None = None,
        mark_type: type | None = None,
    ) -> "Signature":
        """Read a function, a bound method, a partial, or an object with `__call__`.

        Args:
            function: what will be called.
            context_type: the class by which a parameter asks for the context; subclasses and `Context | None` count.
            injected: parameters that somebody else fills in; they are neither advertised nor bound.
            name: how errors name the callable; needed for a lambda, which has no name.
            names: further names for annotations that are text, such as classes that are local to a function.
            mark_type: the class of marks by which parameters ask to be filled in; they too are neither advertised nor
                bound.

        Raises:
            TypeError: with one line that names the callable and the parameter, if it cannot be served.
        """
        name = name or name_of(function)
        if name is None:
            raise TypeError("a lambda has no name; give it one")
        reading = Reading(name, context_type, injected, names, mark_type)
        return cls(function, reading)

    def __init__(self, function: AnyCallable, reading: Reading) -> None:
        parameters = read_parameters(function, reading)
        about = read_docstring(documentation(function))
        arguments = Arguments(reading.name, read_fields(parameters.arguments, about.arguments, reading))
        self.name = reading.name
        self.summary = about.summary
        self.description = about.description
        self.input_schema: Schema = arguments.schema
        self.context_parameter = parameters.context
        self.is_async = is_async(function)
        self.marked = parameters.marked
        self.may_suspend = may_suspend(function)
        self.returns = parameters.returns
        self.bind = arguments.bind
        self.bind_texts = arguments.bind_texts

    def __repr__(self) -> str:
        return f"Signature({self.name}({', '.join(self.input_schema['properties'])}))"
