"""Methods and notifications that the protocol does not have: functions that take the parameters as they are.

From the method to the function and back. Below: `signature`, `calling`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mcport.core.dialects.contract import Admitted
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject, dump, parse_json
from mcport.errors import InternalError, InvalidParams, ProtocolError, ToolError
from mcport.server.asking.naming import OF_RETRIES
from mcport.server.asking.outcomes import why_unanswered
from mcport.server.handling.calling import call
from mcport.server.middleware.requests import ClientNotification
from mcport.server.results.faults import Faults
from mcport.server.signature import ArgumentsInvalid, Signature
from mcport.session.exchange import Exchange
from mcport.spec.model import Model

from .extension_result import ExtensionResult

PARAMS: Final = "params"

OWN: Final = frozenset({"_meta"})
"""The parameters that are always the protocol's own."""


class RawMethod:
    """Serves one method with a function of the author; one that `asks` is retried with answers as tools are."""

    def __init__(
        self, method: str, function: Callable[..., Any], signature: Signature, faults: Faults, asks: bool
    ) -> None:
        self._method = method
        self._function = function
        self._signature = signature
        self._takes_params = _takes_params(signature)
        self._faults = faults
        self._asks = asks
        self._own = OF_RETRIES if asks else OWN

    async def __call__(self, exchange: Exchange, admitted: Admitted) -> object:
        """Serve a request."""
        arguments: dict[str, Any] = {}
        if self._takes_params:
            params = {name: value for name, value in exchange.asked.params.items() if name not in self._own}
            try:
                arguments = self._signature.bind({PARAMS: params})
            except ArgumentsInvalid as error:
                raise InvalidParams(f"{self._method}: {error.line}") from None
        try:
            value = await call(self._function, self._signature, arguments, exchange, admitted)
            return value if self._asks and type(value) is InputRequired else _result_of(value)
        except ProtocolError:
            raise
        except ToolError as error:
            raise InternalError(str(error)) from None
        except Exception as error:
            why = why_unanswered(exchange, error) or self._faults.text(f"Method {self._method!r}", error)
            raise InternalError(why) from None


class Hearer:
    """Hears one notification with a function of the author, which is no request: it has no context."""

    def __init__(self, method: str, function: Callable[..., Any]) -> None:
        signature = Signature.of(function, name=method)
        if not signature.is_async:
            raise TypeError(f"{method}: what hears a notification is a coroutine function")
        self._function = function
        self._signature = signature
        self._takes_params = _takes_params(signature)

    async def __call__(self, notice: ClientNotification) -> None:
        """Hear a notification; raises `ArgumentsInvalid` for one that does not fit."""
        params = {name: value for name, value in notice.params.items() if name != "_meta"}
        await self._function(**(self._signature.bind({PARAMS: params}) if self._takes_params else {}))


def _takes_params(signature: Signature) -> bool:
    """Whether a function takes the parameters; raises TypeError for one that wants anything else."""
    names = list(signature.input_schema["properties"])
    if names not in ([], [PARAMS]):
        raise TypeError(f"{signature.name}: it is called with 'params' and nothing else, not with {', '.join(names)!r}")
    return bool(names)


def _result_of(value: Any) -> JsonObject | Model | ExtensionResult:
    if value is None:
        return {}
    if type(value) is InputRequired:
        raise TypeError("it returned InputRequired, and may not ask: register it with asks=True")
    if isinstance(value, dict | Model) or type(value) is ExtensionResult:
        found: JsonObject | Model | ExtensionResult = value
        return found
    result = parse_json(dump(value))
    if type(result) is not dict:
        raise TypeError(f"a result is an object, not {type(value).__name__}")
    return result
