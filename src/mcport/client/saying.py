"""Saying parameters: what a caller gives, as the JSON object that goes out.

Below: the facade, `core.meta_keys`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING

from mcport.core.dialects.contract import PROGRESS_TOKEN
from mcport.core.jsonrpc import JsonObject
from mcport.spec.revisions import Revision

if TYPE_CHECKING:
    from mcport.spec.types import CompletionArgument, CompletionContext, PromptReference, ResourceTemplateReference


def with_meta(
    params: JsonObject | None, meta: JsonObject | None, revision: Revision, defined: Container[str] = frozenset()
) -> JsonObject:
    """Return parameters with more metadata; raises ValueError for a key that is not the caller's (basic/index).

    `defined` are keys that extensions have defined.
    """
    from mcport.core.meta_keys import check_meta  # few calls have metadata of their own

    given = {**((params or {}).get("_meta") or {}), **(meta or {})}
    if PROGRESS_TOKEN in given:
        raise ValueError(f"meta: {PROGRESS_TOKEN} is chosen by the client; give progress= to be told of progress")
    check_meta(given, (revision,), defined)
    return {**(params or {}), "_meta": given}


def dump_params(name: str, values: Mapping[str, object], revision: str) -> JsonObject:
    """Return the parameters of that type with these values, without what the revision lacks.

    Raises ValueError with one line for values that do not fit.
    """
    from pydantic import ValidationError

    from mcport.spec import types
    from mcport.spec.model import first_fault

    try:
        # The stateless era demands metadata, which every request gets on its way out.
        said: JsonObject = getattr(types, name)(**values, meta={}).to_wire(revision)
    except ValidationError as error:
        raise ValueError(f"the parameters do not fit {name}: {first_fault(error)}") from None
    said.pop("_meta", None)
    return said


def filled_in(
    ref: PromptReference | ResourceTemplateReference | None, prompt: str | None, resource: str | None
) -> PromptReference | ResourceTemplateReference:
    """Return what a completion is for. Raises TypeError unless exactly one thing is said."""
    from mcport.spec.types import PromptReference, ResourceTemplateReference

    if [ref, prompt, resource].count(None) != 2:
        raise TypeError("complete() is for one thing: prompt='name', resource='template' or a reference")
    if ref is not None:
        return ref
    return ResourceTemplateReference(uri=resource) if prompt is None else PromptReference(name=prompt)


def typed_so_far(argument: CompletionArgument | str, value: str) -> CompletionArgument:
    """Return the argument that suggestions are wanted for, and what is typed of it. Raises TypeError for none."""
    from mcport.spec.types import CompletionArgument

    if not argument:
        raise TypeError("complete() wants argument='name', the argument that suggestions are wanted for")
    return CompletionArgument(name=argument, value=value) if isinstance(argument, str) else argument


def settled(context: CompletionContext | Mapping[str, str] | None) -> CompletionContext | None:
    """Return what else is known of a prompt or a template that is being filled in."""
    from mcport.spec.types import CompletionContext

    return CompletionContext(arguments=dict(context)) if isinstance(context, Mapping) else context
