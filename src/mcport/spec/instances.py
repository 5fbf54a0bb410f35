"""Whether something is pydantic's, or a value of the facade, asked without loading pydantic.

Loading pydantic takes as long as loading all of mcport, and a server whose functions take and return the commonest of
Python's types answers calls without it. Nobody can have an instance of a class whose module was never loaded: that is
all there is to know. Below: the standard library.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo
    from typing_extensions import TypeIs

    from .model import Model


def is_model(value: object) -> TypeIs[Model]:
    """Whether a value is one of the facade's types."""
    kind = _loaded("mcport.spec.model", "Model")
    return kind is not None and isinstance(value, kind)


def is_pydantic_model(value: object) -> TypeIs[BaseModel]:
    """Whether a value is an instance of a model of pydantic, the facade's types among them."""
    kind = _loaded("pydantic.main", "BaseModel")
    return kind is not None and isinstance(value, kind)


def is_pydantic_class(kind: type) -> bool:
    """Whether a class is a model of pydantic."""
    base = _loaded("pydantic.main", "BaseModel")
    return base is not None and issubclass(kind, base)


def is_field(value: object) -> TypeIs[FieldInfo]:
    """Whether a default or a note on an annotation is what `pydantic.Field` returns."""
    kind = _loaded("pydantic.fields", "FieldInfo")
    return kind is not None and isinstance(value, kind)


def _loaded(module: str, name: str) -> type[Any] | None:
    return getattr(sys.modules.get(module), name, None)
