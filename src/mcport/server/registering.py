"""Registering handlers: the half of the Server in which authors say what it offers.

Below: `tools`, `resources`, `prompts`, `signature`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from mcport.core.dialects.contract import Offer
from mcport.core.jsonrpc import JsonObject
from mcport.core.meta_keys import check_meta
from mcport.core.uri_template import UriTemplate

from .context import Context
from .prompts import PromptEntry, Prompts
from .resources import ResourceEntry, Resources
from .signature import Signature
from .tools import ToolEntry, Tools

if TYPE_CHECKING:
    from mcport.spec.types import Annotations, Icon, ToolAnnotations

Function = TypeVar("Function", bound=Callable[..., Any])


class Decorator(Protocol):
    """Takes a function and returns it unchanged."""

    def __call__(self, function: Function, /) -> Function: ...


class Registrar:
    """What authors register: tools, resources and prompts."""

    def __init__(self, offer: Offer, tools: Tools, resources: Resources, prompts: Prompts) -> None:
        self._offer = offer
        self._tools = tools
        self._resources = resources
        self._prompts = prompts

    @overload
    def tool(self, function: Function, /) -> Function: ...
    @overload
    def tool(
        self,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        annotations: ToolAnnotations | None = None,
        icons: list[Icon] | None = None,
        meta: JsonObject | None = None,
    ) -> Decorator: ...
    def tool(
        self,
        function: Any = None,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        annotations: ToolAnnotations | None = None,
        icons: list[Icon] | None = None,
        meta: JsonObject | None = None,
    ) -> Any:
        """Register a function as a tool; use it as a decorator, with or without arguments.

        The function's type hints and docstring become its schema, `name` defaults to the function's. It is returned
        unchanged. Raises TypeError for a function that cannot be a tool, ValueError for a name that is taken or
        `meta` that is not for applications; a name that clients may not take well is logged as a warning.
        See server/tools of the specification.
        """

        shown: dict[str, Any] = {"title": title, "description": description}
        shown |= {"annotations": annotations, "icons": icons, "meta": meta}

        self._check_meta(meta)

        def register(function: Function) -> Function:
            signature = Signature.of(function, context_type=Context, name=name)
            own = signature.name if name is None else name
            self._tools.add(ToolEntry(function=function, signature=signature, name=own, **shown))
            return function

        return register if function is None else register(function)

    def resource(
        self,
        uri: str,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        mime_type: str | None = None,
        size: int | None = None,
        annotations: Annotations | None = None,
        icons: list[Icon] | None = None,
        meta: JsonObject | None = None,
    ) -> Decorator:
        """Register a function that reads a resource; `uri` may be a URI template whose variables it takes.

        The function returns text, bytes, or a value that becomes JSON. `size` is in bytes. It is returned unchanged.
        Raises TypeError where variables and parameters differ, ValueError for a URI that is taken or `meta` that is not
        for applications.
        See server/resources of the specification.
        """
        shown: dict[str, Any] = {"name": name, "title": title, "description": description, "mime_type": mime_type}
        shown |= {"size": size, "annotations": annotations, "icons": icons, "meta": meta}

        self._check_meta(meta)

        def register(function: Function) -> Function:
            signature = Signature.of(function, context_type=Context)
            template = UriTemplate.parse(uri) if "{" in uri else None
            _check_variables(uri, template, signature)
            entry = ResourceEntry(function=function, signature=signature, key=uri, template=template, **shown)
            (self._resources.listing if template is None else self._resources.templates).add(entry)
            return function

        return register

    @overload
    def prompt(self, function: Function, /) -> Function: ...
    @overload
    def prompt(
        self,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        icons: list[Icon] | None = None,
        meta: JsonObject | None = None,
    ) -> Decorator: ...
    def prompt(
        self,
        function: Any = None,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        icons: list[Icon] | None = None,
        meta: JsonObject | None = None,
    ) -> Any:
        """Register a function that makes a prompt; use it as a decorator, with or without arguments.

        It takes strings and returns a string, a message, or a list of these. It is returned unchanged. Raises
        TypeError for a function that cannot be a prompt, ValueError for a name that is taken or `meta` that is not for
        applications.
        See server/prompts of the specification.
        """

        shown: dict[str, Any] = {"title": title, "description": description, "icons": icons, "meta": meta}

        self._check_meta(meta)

        def register(function: Function) -> Function:
            signature = Signature.of(function, context_type=Context, name=name)
            own = signature.name if name is None else name
            self._prompts.listing.add(PromptEntry(function=function, signature=signature, name=own, **shown))
            return function

        return register if function is None else register(function)

    def _check_meta(self, meta: JsonObject | None) -> None:
        """Raise ValueError for metadata that one of the served revisions does not let applications use."""
        if meta is not None:
            check_meta(meta, self._offer.revisions.values())


def _check_variables(uri: str, template: UriTemplate | None, signature: Signature) -> None:
    """Raise TypeError where a template's variables are not the function's parameters."""
    variables = set(template.variables) if template is not None else set()
    schema = signature.input_schema
    parameters, required = set(schema.get("properties", {})), set(schema.get("required", []))
    if missing := sorted(required - variables):
        raise TypeError(f"{signature.name}: parameter {missing[0]!r} is no variable of the resource {uri!r}")
    if unknown := sorted(variables - parameters):
        raise TypeError(f"{signature.name}: the resource {uri!r} has a variable {unknown[0]!r} that it does not take")
