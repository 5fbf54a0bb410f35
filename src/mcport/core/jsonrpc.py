"""JSON-RPC 2.0 messages: what they are, how bytes become one, how one becomes bytes.

This is the one door through which JSON enters mcport, whatever the transport, and the one through which it leaves.
It knows nothing of methods, revisions or who is talking. Below it: only the JSON parser and the error page.

The door is strict: duplicate keys, NaN, infinities, lone surrogates, encodings other than UTF-8 and deep nesting are
refused. What it cannot take becomes a `Malformed` value and never an exception, so that a connection outlives it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import jiter
from pydantic_core import PydanticSerializationError, to_json

from ..errors import INVALID_REQUEST, PARSE_ERROR

Id: TypeAlias = int | str | float
"""A request id keeps its JSON type and value; a float is legal only without a fraction (1.0)."""

JsonObject: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Raw:
    """A JSON value that is bytes already."""

    data: bytes


@dataclass(slots=True)
class Request:
    """A message that asks for an answer."""

    id: Id
    method: str
    params: JsonObject | Raw | None = None


@dataclass(slots=True)
class Notification:
    """A message that wants no answer."""

    method: str
    params: JsonObject | Raw | None = None


@dataclass(slots=True)
class Response:
    """A successful answer."""

    id: Id
    result: object


@dataclass(slots=True)
class ErrorResponse:
    """An answer that is an error; `id` is None only where the request's id could not be read."""

    id: Id | None
    code: int
    message: str
    data: object = None


@dataclass(slots=True)
class Malformed:
    """Bytes or JSON that are no message.

    `id` is the request's id where it could be read. `answers` says that it looks like a response: such a thing is
    never answered, so that two peers cannot throw errors at each other for ever.
    """

    code: int
    reason: str
    id: Id | None = None
    answers: bool = False
    wants_reply: bool = True


@dataclass(slots=True)
class Batch:
    """Several messages in one array, as one revision allows."""

    members: list[Message | Malformed]


Message: TypeAlias = Request | Notification | Response | ErrorResponse
Decoded: TypeAlias = Message | Malformed | Batch


# ---- in


def parse_json(data: bytes) -> Any:
    """Return the value of strict UTF-8 JSON.

    Raises ValueError with the parser's reason. The one place where mcport parses JSON of others.
    """
    return jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True)


def decode(data: bytes) -> Decoded:
    """Return the message that `data` holds; never raises."""
    try:
        value = jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        return Malformed(PARSE_ERROR, f"Parse error: {error}")
    if type(value) is list:
        return _batch(value)
    return read_message(value)


def _batch(values: list[object]) -> Batch | Malformed:
    if not values:
        return Malformed(INVALID_REQUEST, "Invalid request: an empty batch")
    return Batch([read_message(value) for value in values])


def read_message(value: Any) -> Message | Malformed:
    """Return the message that a parsed JSON value is."""
    if type(value) is not dict:
        return Malformed(INVALID_REQUEST, "Invalid request: a message is a JSON object")
    method = value.get("method")
    if value.get("jsonrpc") != "2.0":
        return _malformed(value, 'jsonrpc must be "2.0"')
    if method is None:
        return _read_answer(value)
    if type(method) is not str:
        return _malformed(value, "method must be a string")
    params = value.get("params")
    if params is not None and type(params) is not dict:
        return _malformed(value, "params must be an object")
    if "id" not in value:
        return Notification(method, params)
    id = value["id"]
    if type(id) is int or type(id) is str or is_id(id):
        return Request(id, method, params)
    return _malformed(value, "id must be a string or an integer")


def _read_answer(value: JsonObject) -> Message | Malformed:
    has_result = "result" in value
    error = value.get("error")
    if not has_result and "error" not in value:
        if "id" not in value or "params" in value:
            return _malformed(value, "method is missing")
        return Malformed(INVALID_REQUEST, "a response has neither result nor error", _id_of(value), answers=True)
    if has_result and "error" in value:
        return Malformed(INVALID_REQUEST, "a response has both result and error", _id_of(value), answers=True)
    id = value.get("id")
    if has_result:
        if not is_id(id):
            return Malformed(INVALID_REQUEST, "a response has no usable id", answers=True)
        return Response(id, value["result"])
    if type(error) is not dict or type(error.get("code")) is not int or type(error.get("message")) is not str:
        return Malformed(INVALID_REQUEST, "an error needs an integer code and a message", _id_of(value), answers=True)
    if id is not None and not is_id(id):
        return Malformed(INVALID_REQUEST, "an error response has no usable id", answers=True)
    return ErrorResponse(id, error["code"], error["message"], error.get("data"))


def is_id(value: object) -> bool:
    """Say whether a JSON value may be a request id: a string or an integer, and 1.0 is an integer."""
    kind = type(value)
    return kind is int or kind is str or (kind is float and math.isfinite(value) and value == int(value))  # type: ignore[arg-type, call-overload]


def _id_of(value: JsonObject) -> Id | None:
    id = value.get("id")
    return id if is_id(id) else None


def _malformed(value: JsonObject, reason: str) -> Malformed:
    """Judge a broken request or notification: without an id it was meant as a notification, which gets no reply."""
    notification = "id" not in value and type(value.get("method")) is str
    answers = "method" not in value and ("result" in value or "error" in value)
    return Malformed(
        INVALID_REQUEST, f"Invalid request: {reason}", _id_of(value), answers=answers, wants_reply=not notification
    )


# ---- out


def encode(message: Message) -> bytes:
    """Return the bytes of a message, without a newline inside or at the end.

    Raises ValueError when a value in it cannot be JSON (a NaN, a lone surrogate, an object of unknown type).
    """
    if type(message) is Response:
        return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (_id_bytes(message.id), dump(message.result))
    if type(message) is Request:
        head = (_id_bytes(message.id), to_json(message.method), _params(message.params))
        return b'{"jsonrpc":"2.0","id":%b,"method":%b%b}' % head
    if type(message) is Notification:
        return b'{"jsonrpc":"2.0","method":%b%b}' % (to_json(message.method), _params(message.params))
    assert isinstance(message, ErrorResponse)
    return _encode_error(message)


def _params(params: JsonObject | Raw | None) -> bytes:
    return b"" if params is None else b',"params":' + dump(params)


def _encode_error(message: ErrorResponse) -> bytes:
    error: JsonObject = {"code": message.code, "message": message.message}
    if message.data is not None:
        error["data"] = message.data
    head = b'{"jsonrpc":"2.0"' if message.id is None else b'{"jsonrpc":"2.0","id":' + _id_bytes(message.id)
    return head + b',"error":' + dump(error) + b"}"


def _id_bytes(id: Id | None) -> bytes:
    return b"%d" % id if type(id) is int else to_json(id)


def dump(value: object) -> bytes:
    """Return a value as compact JSON; raises ValueError for what cannot be JSON."""
    if type(value) is Raw:
        return value.data
    try:
        return finite(to_json(value))
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        raise ValueError(f"a value cannot be JSON: {error}") from error


def finite(data: bytes) -> bytes:
    """Return `data`, which the writer underneath made, if no number in it is NaN or infinite; ValueError otherwise.

    That writer prints bare NaN and Infinity, which are no JSON: bytes with either word in them are read once through
    the strict door, which lets the words pass only inside strings.
    """
    if b"NaN" in data or b"Infinity" in data:
        try:
            parse_json(data)
        except ValueError as error:
            raise ValueError("a number is NaN or infinite, which JSON cannot say") from error
    return data
