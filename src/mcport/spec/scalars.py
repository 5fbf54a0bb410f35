"""Plain values as JSON has them: exact where Python's own types would bend.

pydantic takes `"1"` for an integer and `1` for a boolean unless told otherwise; JSON Schema takes `1.0` for an integer
and not for a boolean. These names say what the schemas mean, in any mode of validation. Below it is pydantic only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator, GetCoreSchemaHandler, Strict
from pydantic.types import AllowInfNan
from pydantic_core import PydanticCustomError, core_schema

JSONValue: TypeAlias = Any
"""Any JSON value."""

JSONObject: TypeAlias = dict[str, Any]
"""Any JSON object."""

FROM_WIRE: Final = object()
"""The validation context under which `Bounds` let everything pass."""


def integral(value: object) -> object:
    """Return `value` as an `int` if it is a float without a fraction, which JSON Schema calls an integer."""
    return int(value) if type(value) is float and value.is_integer() else value


INTEGRAL: Final = BeforeValidator(integral)

Integer: TypeAlias = Annotated[int, Strict(), INTEGRAL]
"""A JSON integer: `1` and `1.0`, not `"1"` or `true`."""

Number: TypeAlias = Annotated[int, Strict()] | Annotated[float, Strict(), AllowInfNan(False)]
"""A JSON number: an integer of any size stays one."""

Boolean: TypeAlias = Annotated[bool, Strict()]
"""A JSON boolean: `true` or `false`, not `1` or `"yes"`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value, or the greatest length, that we may send.

    What comes from a peer is read as it is: one negative `ttlMs` must not lose a whole list (server/utilities/caching).
    """

    least: float | None
    most: float | None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        size = len(value) if isinstance(value, list) else value
        if info.context is not FROM_WIRE and not self._holds(size):
            raise PydanticCustomError("out_of_bounds", "must be {bounds}", {"bounds": self._text(value)})
        return value

    def _holds(self, size: float) -> bool:
        return (self.least is None or size >= self.least) and (self.most is None or size <= self.most)

    def _text(self, value: object) -> str:
        unit = " long" if isinstance(value, list) else ""
        if self.least is None or self.most is None:
            return f"at least {self.least}{unit}" if self.most is None else f"at most {self.most}{unit}"
        return f"between {self.least} and {self.most}{unit}"
