"""Results on their way out, seen as values: what a route answered, as the type of the facade that its method has.

Routes answer with bytes where they can, since nobody looks at them on the way. Here they are made values again for
whoever does look, and these go out as any other value. Below: the facade, loaded when it is needed.
"""

from __future__ import annotations

from typing import Any

from mcport.core.dialects.contract import COMPLETE, META_SERVER
from mcport.core.dialects.envelope import Body, Fixed, Written
from mcport.core.jsonrpc import JsonObject, Raw, parse_json
from mcport.spec.methods import METHODS
from mcport.spec.model import Model


def undressed(method: str, result: object) -> Any:
    """Return what a route answered as a value that may be changed: a model, or a JSON object.

    Results of methods that the protocol does not have are JSON objects. Values that are none of the envelope's stay
    what they are: a question to the client, a result of an extension.
    """
    if type(result) is Fixed:
        result = result.result  # shared by all who ask: never to be changed itself
    if isinstance(result, Written):
        return result.model()
    if isinstance(result, Model):
        return _copied(result)
    if type(result) is Body:
        result = parse_json(result.data)
    elif type(result) is Raw:
        result = _without_server(parse_json(result.data))
    return _typed(method, result) if isinstance(result, dict) else result


def _typed(method: str, result: JsonObject) -> Any:
    kind = result.get("resultType", COMPLETE)
    known = METHODS.get(method)
    if known is None or known.result is None or kind != COMPLETE:
        return dict(result)
    from mcport.spec import types

    model: type[Model] = getattr(types, known.result)
    return model.from_wire(result)


def _without_server(result: JsonObject) -> JsonObject:
    """Who serves a result is written when it goes out, and is nothing to look at before."""
    meta = result.get("_meta")
    if type(meta) is dict and META_SERVER in meta:
        meta = {key: value for key, value in meta.items() if key != META_SERVER}
        result = {**result, "_meta": meta}
        if not meta:
            del result["_meta"]
    return result


def _copied(result: Model) -> Model:
    """Return a copy that may be changed, down to the members of its lists."""
    changes: dict[str, object] = {}
    for name in type(result).model_fields:
        value = getattr(result, name)
        if isinstance(value, list):
            changes[name] = [each.model_copy() if isinstance(each, Model) else each for each in value]
    return result.model_copy(update=changes)
