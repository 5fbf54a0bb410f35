"""Registering handlers: the half of the Server in which authors say what it offers.

Below: `tools`, `resources`, `prompts`, `completions`, `options`, `signature`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Unpack, overload

from mcport.core.dialects.contract import Offer
from mcport.core.jsonrpc import JsonObject, dump

from .dependencies import Dependencies
from .offering.cache_hint import CacheHint
from .offering.completions import Completer, Completions
from .offering.options import Kind, PromptOptions, ResourceOptions, ToolOptions, checked
from .offering.prompts import PromptEntry, Prompts
from .offering.resources import ResourceEntry, Resources
from .offering.tools import ToolEntry, Tools
from .results.structured import structured_of
from .signature import Signature
from .signature.callables import name_of

if TYPE_CHECKING:
    from mcport.core.uri_template import UriTemplate

Function = TypeVar("Function", bound=Callable[..., Any])


class Decorator(Protocol):
    """Takes a function and returns it unchanged."""

    def __call__(self, function: Function, /) -> Function: ...


class Registrar:
    """What authors register: tools, resources and prompts, before the server runs or while it does, from any thread."""

    def __init__(
        self,
        offer: Offer,
        tools: Tools,
        resources: Resources,
        prompts: Prompts,
        completions: Completions,
        hint: CacheHint,
    ) -> None:
        self._offer = offer
        self._hint = hint
        self._tools = tools
        self._resources = resources
        self._prompts = prompts
        self._completions = completions
        self._dependencies = Dependencies()
        self._meta_keys: set[str] = set()
        """Keys of `_meta` that extensions have defined."""

    def override(self, dependency: Callable[..., Any], replacement: Callable[..., Any]) -> AbstractContextManager[None]:
        """Have `replacement` called instead of `dependency`, wherever that stands in `Depends`; for tests.

            with server.override(database, lambda: FakeDatabase()):
                ...

        It holds until the block is left. What the replacement makes for the whole process ends with the server's life
        and not with the block. Raises TypeError for a function that cannot be a dependency.
        """
        return self._dependencies.override(dependency, replacement)

    # ---- tools

    @overload
    def tool(self, function: Function, /) -> Function: ...
    @overload
    def tool(self, /, **options: Unpack[ToolOptions]) -> Decorator: ...
    def tool(self, function: Any = None, /, **options: Unpack[ToolOptions]) -> Any:
        """Register a function as a tool; use it as a decorator, with or without options (`ToolOptions` has them all).

        The function's type hints and docstring become its schema, `name` defaults to the function's. It is returned
        unchanged. Raises TypeError or ValueError, in one line that names the tool and the option, for a function that
        cannot be a tool, an option that cannot be, and a name that is taken; a name that clients may not take well is
        logged as a warning. See server/tools of the specification.
        """
        return _decorating("tool", self.add_tool, function, options)

    def add_tool(self, function: Callable[..., Any], /, **options: Unpack[ToolOptions]) -> None:
        """Register a function as a tool, as `tool` does; also while the server runs, from any thread."""
        given = self._checked("tool", options.get("name") or name_of(function), options)
        called, signature = self._dependencies.read(function, given.get("name"))
        self._tools.add(_entry(called, signature, {"name": signature.name, **given}))

    def add_raw_tool(
        self, name: str, handler: Callable[..., Any], /, *, input_schema: JsonObject, **options: Unpack[ToolOptions]
    ) -> None:
        """Register a tool whose arguments are described by a JSON Schema and arrive as one dict.

        Clients see `input_schema` exactly as it is given. `handler(arguments)`, or `handler(arguments, ctx)`, is called
        with arguments that fit it. Its results are checked if there is an `output_schema`. Raises TypeError for a
        handler that takes anything else, `SchemaRefused`, a ValueError, for a schema that is not valid, ValueError for
        a name that is taken. See server/tools of the specification.
        """
        from .offering.raw_signature import RawSignature

        given = self._checked("tool", name, {**options, "name": name})
        self._tools.add(_entry(handler, RawSignature(name, handler, input_schema), given))

    def remove_tool(self, name: str) -> None:
        """Take a tool away, also while the server runs and from any thread; calls of it that run go on to their end.

        Raises KeyError if there is no tool of that name.
        """
        self._tools.listing.remove(name)

    # ---- resources

    def resource(self, uri: str, **options: Unpack[ResourceOptions]) -> Decorator:
        """Register a function that reads a resource; `uri` may be a URI template whose variables it takes.

        The function returns text, bytes, or a value that becomes JSON; None says that there is no such resource.
        `ResourceOptions` has all options. It is returned unchanged. Raises TypeError or ValueError, in one line that
        names the resource and the option, where variables and parameters differ, for a URI that is none or is taken, a
        template that cannot be matched, and an option that cannot be.
        See server/resources of the specification.
        """
        given = self._checked("resource", _checked_uri(uri), options)

        def register(function: Function) -> Function:
            self._add_resource(uri, function, given)
            return function

        return register

    def add_resource(self, uri: str, function: Callable[..., Any], /, **options: Unpack[ResourceOptions]) -> None:
        """Register what reads a resource, as `resource` does; also while the server runs, from any thread."""
        self._add_resource(uri, function, self._checked("resource", _checked_uri(uri), options))

    def remove_resource(self, uri: str) -> None:
        """Take a resource away, or a template as it was written; also while the server runs and from any thread.

        Raises KeyError if there is none.
        """
        self._resources.remove(uri)

    def _add_resource(self, uri: str, function: Callable[..., Any], given: dict[str, Any]) -> None:
        from mcport.core.uri import is_uri

        called, signature = self._dependencies.read(function)
        template = _template_of(uri) if "{" in uri else None
        if template is not None and "size" in given:
            raise TypeError(f"resource {uri!r}: a template has no size; each of its resources has its own")
        if template is None and not is_uri(uri):
            raise ValueError(f"{uri!r} is no URI (RFC 3986): a scheme, a colon, and odd characters percent-encoded")
        _check_variables(uri, template, signature)
        _shown(f"resource {uri!r}", signature.description)
        hint = self._hint.but(given.get("ttl_ms"), given.get("cache_scope"))
        if given.get("visible") is not None:
            hint = hint.but(scope="private")
        shown = {name: value for name, value in given.items() if name not in ("ttl_ms", "cache_scope")}
        entry = ResourceEntry(function=called, signature=signature, key=uri, template=template, hint=hint, **shown)
        self._resources.add(entry)

    # ---- prompts

    @overload
    def prompt(self, function: Function, /) -> Function: ...
    @overload
    def prompt(self, /, **options: Unpack[PromptOptions]) -> Decorator: ...
    def prompt(self, function: Any = None, /, **options: Unpack[PromptOptions]) -> Any:
        """Register a function that makes a prompt; use it as a decorator, with or without options (`PromptOptions`).

        It takes strings and returns a string, a message, or a list of these. It is returned unchanged. Raises
        TypeError or ValueError, in one line that names the prompt and the option, for a function that cannot be a
        prompt, an option that cannot be, and a name that is taken.
        See server/prompts of the specification.
        """
        return _decorating("prompt", self.add_prompt, function, options)

    def add_prompt(self, function: Callable[..., Any], /, **options: Unpack[PromptOptions]) -> None:
        """Register a function that makes a prompt, as `prompt` does; also while the server runs, from any thread."""
        given = self._checked("prompt", options.get("name") or name_of(function), options)
        called, signature = self._dependencies.read(function, given.get("name"))
        _shown(f"prompt {signature.name!r}", signature.description, signature.input_schema)
        self._prompts.listing.add(
            PromptEntry(function=called, signature=signature, **{"name": signature.name, **given})
        )

    def remove_prompt(self, name: str) -> None:
        """Take a prompt away, also while the server runs and from any thread. Raises KeyError if there is none."""
        self._prompts.listing.remove(name)

    # ---- completions

    def complete(self, *, argument: str, prompt: str | None = None, resource: str | None = None) -> Decorator:
        """Register a function that suggests values for an argument of a prompt, or a variable of a resource template.

            @server.complete(prompt="review", argument="language")
            def languages(value: str, context: dict[str, str]) -> list[str]:
                return [name for name in LANGUAGES if name.startswith(value)]

        It gets what was typed so far; `context`, if it takes one, has the arguments that are filled in already (from
        2025-06-18 on), and the `Context` is found by its annotation. It returns texts, the best first, or a
        `Completion`; at most 100 go out. One that takes nothing of what was typed returns all values there are, of
        which those that fit go out. Arguments that are literals, enumerations or booleans need none. It is returned
        unchanged. Raises TypeError for a function that cannot be one, ValueError where there is no such argument or
        it has a completer. See server/utilities/completion of the specification.
        """
        if (prompt is None) == (resource is None):
            raise TypeError("complete: give either the prompt's name or the resource's URI template")
        kind, key = ("prompt", prompt) if prompt is not None else ("resource template", resource)

        def register(function: Function) -> Function:
            called, signature = self._dependencies.read(function, argument)
            self._completions.add(kind, str(key), argument, Completer(called, signature))
            return function

        return register

    def _checked(self, kind: Kind, key: object, options: Mapping[str, object]) -> dict[str, Any]:
        return checked(kind, key, options, self._offer.revisions.values(), self._meta_keys)


def _entry(function: Callable[..., Any], signature: Signature, given: dict[str, Any]) -> ToolEntry:
    """Return a tool, with what it declares of its results."""
    kept = {key: value for key, value in given.items() if key not in ("structured", "output_schema")}
    declared = {key: value for key, value in given.items() if key in ("structured", "output_schema")}
    output = structured_of(given["name"], signature.returns, **declared)
    schemas = signature.input_schema, output.schema if output is not None else None
    shown = _shown(f"tool {given['name']!r}", signature.description, *schemas)
    if b'"x-mcp-header"' in shown:
        _check_headers(f"tool {given['name']!r}", signature.input_schema)
    return ToolEntry(function=function, signature=signature, output=output, **kept)


def _decorating(kind: str, add: Callable[..., None], function: Any, options: Mapping[str, Any]) -> Any:
    """Return the decorator with these options; or what was decorated by it, if it was used without brackets.

    Raises TypeError for a name that stands where the function belongs.
    """
    if isinstance(function, str):
        raise TypeError(f"{kind}: a name is an option: write @server.{kind}(name={function!r})")

    def register(function: Function) -> Function:
        add(function, **options)
        return function

    return register if function is None else register(function)


def _checked_uri(uri: object) -> str:
    """Return a URI or a template as it was written. Raises TypeError for what is no text, such as the function."""
    if isinstance(uri, str):
        return uri
    about = f" above {name_of(uri)!r}" if callable(uri) else f", not {type(uri).__name__}"
    raise TypeError(f"resource: the URI comes first: write @server.resource('scheme://path'){about}")


def _shown(what: str, *parts: object) -> bytes:
    """Return a docstring and schemas as JSON. Raises ValueError where they are none: half of a character, NaN."""
    try:
        return dump(parts)
    except ValueError as error:
        raise ValueError(f"{what}: its docstring or schema cannot be JSON: {error}") from None


def _check_headers(what: str, schema: JsonObject) -> None:
    """Raise ValueError for arguments that cannot be repeated in headers as a schema asks; clients drop such a tool."""
    from mcport.core.mirrors import mirrors_of

    try:
        mirrors_of(schema)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _template_of(uri: str) -> UriTemplate:
    from mcport.core.uri_template import UriTemplate

    return UriTemplate.parse(uri, matchable=True)


def _check_variables(uri: str, template: UriTemplate | None, signature: Signature) -> None:
    """Raise TypeError where a template's variables are not the function's parameters."""
    variables = set(template.variables) if template is not None else set()
    schema = signature.input_schema
    parameters, required = set(schema.get("properties", {})), set(schema.get("required", []))
    if missing := sorted(required - variables):
        raise TypeError(f"{signature.name}: parameter {missing[0]!r} is no variable of the resource {uri!r}")
    if unknown := sorted(variables - parameters):
        raise TypeError(f"{signature.name}: the resource {uri!r} has a variable {unknown[0]!r} that it does not take")
