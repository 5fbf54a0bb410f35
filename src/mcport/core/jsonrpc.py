"""JSON-RPC 2.0 messages: what they are, how bytes become one, how one becomes bytes.

This is the one door through which JSON enters mcport, whatever the transport, and the one through which it leaves.
It knows nothing of methods, revisions or who is talking. Below it: the JSON parser, `glimpse` and the error page.

The door is strict: duplicate keys, NaN, infinities, lone surrogates, encodings other than UTF-8 and deep nesting are
refused. What it cannot take becomes a `Malformed` value and never an exception, so that a connection outlives it.
Where it is more lenient than the schemas: `params` and the `id` of an error may be null, as if they were left out.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias, TypeGuard

from jiter import from_json
from pydantic_core import to_json

from mcport.errors import INVALID_REQUEST, PARSE_ERROR
from mcport.record import Record

Id: TypeAlias = int | str | float
"""A request id keeps its JSON type and value; a float is legal only without a fraction (1.0)."""

JsonObject: TypeAlias = dict[str, Any]

EXACT: Final = 2**53 - 1
"""Up to here a float stands for one integer only; an id beyond it could not be repeated as it came."""


class Raw(Record, frozen=False):
    """A JSON value that is bytes already."""

    data: bytes


class Request(Record, frozen=False):
    """A message that asks for an answer."""

    id: Id
    method: str
    params: JsonObject | Raw | None = None


class Notification(Record, frozen=False):
    """A message that wants no answer."""

    method: str
    params: JsonObject | Raw | None = None


class Response(Record, frozen=False):
    """A successful answer."""

    id: Id
    result: object


class ErrorResponse(Record, frozen=False):
    """An answer that is an error; `id` is None only where the request's id could not be read.

    It is left out of the message then: no revision has null there (2025-11-25 and later: basic, "Error Responses").
    """

    id: Id | None
    code: int
    message: str
    data: object = None


class Malformed(Record, frozen=False):
    """Bytes or JSON that are no message.

    `id` is the id of a broken request, which its error repeats. `answers` is the id of the call that it seems to
    answer, so that whoever waits can be told. `wants_reply` is false for what can only have been a notification or an
    answer: these get no reply, so that two peers cannot throw errors at each other for ever. `excerpt` is the printable
    beginning of text that is not JSON, for logs.
    """

    code: int
    reason: str
    id: Id | None = None
    answers: Id | None = None
    wants_reply: bool = True
    excerpt: str = ""


class Batch(Record, frozen=False):
    """Several messages in one array, as one revision allows."""

    members: list[Message | Malformed]


Message: TypeAlias = Request | Notification | Response | ErrorResponse
Decoded: TypeAlias = Message | Malformed | Batch


# ---- in


def parse_json(data: bytes) -> Any:
    """Return the value of strict UTF-8 JSON.

    Raises ValueError with the parser's reason. Beside `decode`, the one place where mcport parses JSON of others.
    """
    return from_json(data, allow_inf_nan=False, catch_duplicate_keys=True)


def decode(data: bytes) -> Decoded:
    """Return the message that `data` holds; never raises."""
    try:
        value = from_json(data, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        return _unreadable(data, error)
    if type(value) is list:
        return _batch(value)
    return read_message(value)


def _unreadable(data: bytes, error: ValueError) -> Malformed:
    from mcport.core import glimpse  # only what cannot be read is looked at so

    seen = glimpse.of_line(data)
    excerpt = repr(data[:80].decode("utf-8", "replace"))
    answers = seen.id if seen.answers else None
    return Malformed(PARSE_ERROR, f"Parse error: {_why(data, error)}", answers=answers, excerpt=excerpt)


def _why(data: bytes, error: ValueError) -> str:
    """Put the faults of whole programs, which the parser describes by their first byte, into words."""
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return "a message is UTF-8 without a byte order mark"
    if b"\0" in data[:4]:
        return "a message is UTF-8, and this looks like UTF-16 or UTF-32"
    return str(error)


def _batch(values: list[Any]) -> Batch | Malformed:
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
    if type(method) is not str:
        return _read_answer(value) if method is None else _malformed(value, "method must be a string")
    params = value.get("params")
    if params is not None and type(params) is not dict:
        return _malformed(value, "params must be an object")
    if "id" not in value:
        return Notification(method, params)
    id = value["id"]
    if type(id) is int or is_id(id):
        return Request(id, method, params)
    return _malformed(value, "id must be a string or an integer")


def _read_answer(value: JsonObject) -> Message | Malformed:
    id = value.get("id")
    if "result" in value and "error" not in value:
        if type(id) is int or is_id(id):
            return Response(id, value["result"])
        return _malformed(value, "a response has no usable id")
    if "error" not in value:
        return _malformed(value, "method is missing")
    if "result" in value:
        return _malformed(value, "a response has both result and error")
    error = value["error"]
    code = _integer(error.get("code")) if type(error) is dict else None
    if code is None or type(error.get("message")) is not str:
        return _malformed(value, "an error needs an integer code and a message")
    if id is not None and not is_id(id):
        return _malformed(value, "an error response has no usable id")
    return ErrorResponse(id, code, error["message"], error.get("data"))


def is_id(value: object) -> TypeGuard[Id]:
    """Say whether a JSON value may be a request id: a string or an integer, and 1.0 is an integer."""
    kind = type(value)
    return kind is str or kind is int or (kind is float and value.is_integer() and -EXACT <= value <= EXACT)  # type: ignore[attr-defined, operator]


def _integer(value: object) -> int | None:
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def _malformed(value: JsonObject, fault: str) -> Malformed:
    """Judge an object that is no message.

    One with a method and without an id was meant as a notification, one with a result or an error as an answer. One
    with neither may be a request without its method or an answer without its result: the peer knows.
    """
    found = value.get("id")
    id = found if is_id(found) else None
    reason = f"Invalid request: {fault}"
    if "method" in value:
        notification = "id" not in value and type(value["method"]) is str
        return Malformed(INVALID_REQUEST, reason, id, wants_reply=not notification)
    if "result" in value or "error" in value:
        return Malformed(INVALID_REQUEST, f"Invalid response: {fault}", answers=id, wants_reply=False)
    return Malformed(INVALID_REQUEST, reason, id, answers=id)


# ---- out


def encode(message: Message) -> bytes:
    """Return the bytes of a message, without a newline inside or at the end.

    Raises ValueError when a value in it cannot be JSON (a NaN, a lone surrogate, an object of unknown type), or when
    it would be no message.
    """
    if type(message) is Response:
        result = message.result
        data = result.data if type(result) is Raw else dump(result)
        if type(message.id) is int:
            return b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (message.id, data)
        return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (_id_bytes(message.id), data)
    if type(message) is Request:
        head = (_id_bytes(message.id), to_json(message.method), _params(message.params))
        return b'{"jsonrpc":"2.0","id":%b,"method":%b%b}' % head
    if type(message) is Notification:
        return b'{"jsonrpc":"2.0","method":%b%b}' % (to_json(message.method), _params(message.params))
    assert isinstance(message, ErrorResponse)
    return _encode_error(message)


def _params(params: JsonObject | Raw | None) -> bytes:
    if params is None:
        return b""
    if type(params) is Raw:
        return b',"params":' + params.data
    if not isinstance(params, dict):
        raise ValueError(f"params must be an object, not {type(params).__name__}")
    return b',"params":' + dump(params)


def _encode_error(message: ErrorResponse) -> bytes:
    if type(message.code) is not int or type(message.message) is not str:
        raise ValueError(f"an error needs an integer code and a message, not {message.code!r} and {message.message!r}")
    error: JsonObject = {"code": message.code, "message": message.message}
    if message.data is not None:
        error["data"] = message.data
    head = b'{"jsonrpc":"2.0"' if message.id is None else b'{"jsonrpc":"2.0","id":' + _id_bytes(message.id)
    return head + b',"error":' + dump(error) + b"}"


def _id_bytes(id: Id) -> bytes:
    if type(id) is int:
        return b"%d" % id
    if not is_id(id):
        raise ValueError(f"an id is a string or an integer, not {id!r}")
    return to_json(id)


def dump(value: object) -> bytes:
    """Return a value as compact JSON; raises ValueError for what cannot be JSON."""
    return value.data if type(value) is Raw else finite(to_json(value))


def finite(data: bytes) -> bytes:
    """Return `data`, which the writer underneath made, if no number in it is NaN or infinite; ValueError otherwise.

    That writer prints bare NaN and Infinity, which are no JSON: bytes with either word in them are read once through
    the strict door, which lets the words pass only inside strings.
    """
    # Searching for one byte costs a tenth of searching for a word, and most texts have neither of the capitals.
    if (78 in data and data.rfind(b"NaN") >= 0) or (73 in data and data.rfind(b"Infinity") >= 0):
        try:
            parse_json(data)
        except ValueError as error:
            raise ValueError(f"a number is NaN or infinite, which JSON cannot say: {error}") from error
    return data
