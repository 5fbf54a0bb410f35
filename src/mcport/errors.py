"""Every exception of mcport, on one page.

    McportError
    ├── ProtocolError            a rule of the protocol was broken; carries code and data as on the wire
    │   ├── ParseError               -32700
    │   ├── InvalidRequest           -32600
    │   ├── MethodNotFound           -32601
    │   ├── InvalidParams            -32602
    │   ├── InternalError            -32603
    │   ├── ResourceNotFound         -32002, or -32602 where the revision says so
    │   ├── UrlElicitationRequired   -32042, in the revision that has it
    │   ├── HeaderMismatch           -32020
    │   ├── MissingCapability        -32021
    │   ├── UnsupportedRevision      -32022
    │   └── Rejected                 -1: the user said no
    ├── ToolError                a tool says what went wrong; its text goes to the model as written
    ├── CannotListen             a server's address is taken, or is none of this machine (also an OSError)
    ├── NotDeclared              a feature that the peer did not declare was about to be used
    └── ConversationError        something happened to a conversation: names the server, the phase, the cause
        ├── ConnectFailed            it never began
        ├── AuthFailed               the server wants authorization, and there was none to be had
        ├── ConnectionLost           it ended while something was pending (also a ConnectionError)
        ├── Timeout                  the other side stayed silent for too long (also a TimeoutError)
        ├── Cancelled                this side withdrew the call
        ├── RemoteError              the other side answered with an error; carries its code, message and data
        │   └── VisitRequired            -32042: the user has to visit web pages first
        ├── InvalidAnswer            the other side answered with something that is no answer
        │   └── OutputInvalid            the result of a tool is not what it promised, or not of the type wanted
        ├── ToolFailed               a tool ran and failed, and a value of some type was wanted from it
        ├── NotApproved              the host's approve= hook did not let the call go out
        ├── QuestionFailed           a question of the server was not answered, so the call cannot go on
        └── TooManyRounds            the server asked for input again and again

A rule raises a `ProtocolError` once, without knowing who is listening; the door that catches it (a server's session, an
HTTP endpoint, a client) decides whose fault it was and how it is told. This page knows nothing of the rest of mcport.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
RESOURCE_NOT_FOUND: Final = -32002
REJECTED: Final = -1
URL_ELICITATION_REQUIRED: Final = -32042
HEADER_MISMATCH: Final = -32020
MISSING_CAPABILITY: Final = -32021
UNSUPPORTED_REVISION: Final = -32022


class McportError(Exception):
    """The base of every exception that mcport raises on purpose."""


# ---- the protocol's own errors


class ProtocolError(McportError):
    """A rule of the protocol was broken, or a request cannot be served.

    `code`, `message` and `data` are the members of a JSON-RPC error object; `http_status` is a hint for doors that
    speak HTTP. Raise one in a handler to answer with exactly this error.
    """

    code: int = INTERNAL_ERROR
    http_status: ClassVar[int] = 400

    def __init__(self, message: str, *, data: object = None, code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data
        if code is not None:
            self.code = code

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code}, {self.message!r})"


class ParseError(ProtocolError):
    """The bytes are not JSON, or not JSON that the strict door lets in."""

    code = PARSE_ERROR


class InvalidRequest(ProtocolError):
    """JSON, but not a message; or a message that is out of place."""

    code = INVALID_REQUEST


class MethodNotFound(ProtocolError):
    """The method does not exist here, or belongs to a capability that was not declared."""

    code = METHOD_NOT_FOUND
    http_status = 404


class InvalidParams(ProtocolError):
    """The parameters do not fit the method."""

    code = INVALID_PARAMS


class InternalError(ProtocolError):
    """This side is at fault. The text is safe to show to the peer."""

    code = INTERNAL_ERROR
    http_status = 500


class ResourceNotFound(ProtocolError):
    """No resource has this URI. The code on the wire depends on the revision."""

    code = RESOURCE_NOT_FOUND


class UrlElicitationRequired(ProtocolError):
    """Something has to be done at a URL before the request can be served; raise it in a handler.

    `elicitations` are dicts with `message` and `url`, and `elicitation_id` where the author chose one. Revisions
    without this error ask the same by their own means, and serve the request again. See client/elicitation of the
    specification, "URL Elicitation Required Error".
    """

    code = URL_ELICITATION_REQUIRED

    def __init__(self, message: str, elicitations: Sequence[dict[str, str]]) -> None:
        super().__init__(message)
        if not elicitations:
            raise ValueError("UrlElicitationRequired names at least one elicitation")
        for each in elicitations:
            if not {"message", "url"} <= each.keys() <= {"message", "url", "elicitation_id"}:
                raise ValueError("an elicitation has message and url, and may have elicitation_id")
        self.elicitations = list(elicitations)


class HeaderMismatch(ProtocolError):
    """An HTTP header is missing or contradicts the body."""

    code = HEADER_MISMATCH


class MissingCapability(ProtocolError):
    """The request needs a capability that the client did not declare."""

    code = MISSING_CAPABILITY

    def __init__(self, message: str, *, required: dict[str, object]) -> None:
        super().__init__(message, data={"requiredCapabilities": required})


class UnsupportedRevision(ProtocolError):
    """The request declares a revision of the protocol that is not served here."""

    code = UNSUPPORTED_REVISION

    def __init__(self, requested: str, supported: tuple[str, ...]) -> None:
        names = ", ".join(supported)
        super().__init__(
            f"Unsupported protocol version {requested!r}; supported: {names}",
            data={"supported": list(supported), "requested": requested},
        )


class Rejected(ProtocolError):
    """The user does not want this. Raise it in a callback of a client to say so (client/sampling "Error Handling")."""

    code = REJECTED

    def __init__(self, message: str = "the user said no", *, data: object = None) -> None:
        super().__init__(message, data=data)


# ---- what authors raise and read


class ToolError(McportError):
    """Raise it in a tool to tell the model what went wrong; the text reaches the model exactly as written."""


class CannotListen(McportError, OSError):
    """A server cannot listen where it is told to: the address is taken, or is not of this machine."""


class SchemaRefused(McportError, ValueError):
    """A JSON Schema cannot be used: it is invalid, too large, of an unknown dialect, or refers to something outside."""


class NotDeclared(McportError):
    """The peer did not declare the capability that this call needs, so nothing was sent."""


# ---- what happens to conversations


class ConversationError(McportError):
    """Something happened to a conversation with a peer.

    `server` names the other side as the user wrote it, `phase` says what was going on ("connecting", "tools/call"),
    `cause` is the plain reason. `str()` gives one readable line. Where the server was a child process, `exit_code` is
    what it ended with, if it has ended (negative for a signal), and `stderr_tail` the last of what it wrote to stderr.
    """

    exit_code: int | None = None
    stderr_tail: str = ""

    def __init__(self, line: str, *, server: str = "", phase: str = "", cause: str = "") -> None:
        super().__init__(line)
        self.server = server
        self.phase = phase
        self.cause = cause or line


class ConnectFailed(ConversationError):
    """The conversation never began: the process did not start, nothing answered, or no common revision exists."""


class AuthFailed(ConversationError):
    """The server wants authorization, and there was none to be had (basic/authorization).

    `parameter` names what was rejected or missing, `error` is the code that an authorization server answered with, if
    one did, `passing` says that the same may succeed later. `steps` is what was asked on the way and what came of it,
    which `str()` shows below the first line. None of it is secret.
    """

    def __init__(
        self,
        line: str,
        *,
        parameter: str = "",
        error: str | None = None,
        passing: bool = False,
        steps: Sequence[str] = (),
        server: str = "",
        cause: str = "",
    ) -> None:
        super().__init__(line, server=server, phase="authorization", cause=cause)
        self.parameter = parameter
        self.error = error
        self.passing = passing
        self.steps = tuple(steps)

    def __str__(self) -> str:
        return "\n  ".join([str(self.args[0]), *self.steps])


class ConnectionLost(ConversationError, ConnectionError):
    """The conversation ended while something was pending."""


class Timeout(ConversationError, TimeoutError):
    """The other side stayed silent for longer than the call allowed."""


class Cancelled(ConversationError):
    """The call was withdrawn by this side before an answer came."""


class RemoteError(ConversationError):
    """The other side answered with a JSON-RPC error."""

    def __init__(
        self, message: str, *, code: int, data: object = None, server: str = "", phase: str = "", cause: str = ""
    ) -> None:
        super().__init__(message, server=server, phase=phase, cause=cause or message)
        self.code = code
        self.message = message
        self.data = data

    @property
    def resource_not_found(self) -> bool:
        """Whether the server says that there is no such resource, in the words of whatever revision (server/resources).

        Newer servers answer with invalid parameters and the URI, older ones with a code of its own.
        """
        if self.code == RESOURCE_NOT_FOUND:
            return True
        return self.code == INVALID_PARAMS and isinstance(self.data, dict) and "uri" in self.data

    def __repr__(self) -> str:
        return f"RemoteError({self.code}, {self.message!r}, server={self.server!r})"


class InvalidAnswer(ConversationError):
    """The other side answered with something that the protocol does not allow there."""


class HttpRefused(ConversationError):
    """The server, or something before it, answered with an HTTP status that is no success, and with no JSON-RPC error.

    `status` is the status, `retry_after` after how many seconds the request may be tried again, where that was said.
    """

    def __init__(
        self,
        line: str,
        *,
        status: int,
        retry_after: float | None = None,
        server: str = "",
        phase: str = "",
        cause: str = "",
    ) -> None:
        super().__init__(line, server=server, phase=phase, cause=cause)
        self.status = status
        self.retry_after = retry_after


class OutputInvalid(InvalidAnswer):
    """The result of a tool breaks the tool's own output schema, or has not the type that the call wanted.

    `tool` is the tool's name, `result` the result as it came.
    """

    def __init__(
        self, line: str, *, tool: str, result: object, server: str = "", phase: str = "", cause: str = ""
    ) -> None:
        super().__init__(line, server=server, phase=phase, cause=cause)
        self.tool = tool
        self.result = result


class ExtensionAnswered(ConversationError):
    """A typed call was answered with a result of a type that an extension added, such as a task in place of a result.

    It comes only to clients that declared such results (`ClientExtension(result_types=...)`). `kind` is the type,
    `members` are the other members of the result, as on the wire; `client.request` returns such results as they are.
    """

    def __init__(
        self, line: str, *, kind: str, members: dict[str, Any], server: str = "", phase: str = "", cause: str = ""
    ) -> None:
        super().__init__(line, server=server, phase=phase, cause=cause)
        self.kind = kind
        self.members = members


class ToolFailed(ConversationError):
    """A tool ran and failed, where the call wanted a value of some type from it.

    `tool` is the tool's name, `result` the result as it came; `cause` is the text in it.
    """

    def __init__(
        self, line: str, *, tool: str, result: object, server: str = "", phase: str = "", cause: str = ""
    ) -> None:
        super().__init__(line, server=server, phase=phase, cause=cause)
        self.tool = tool
        self.result = result


class VisitRequired(RemoteError):
    """The user has to visit web pages before the request can be served (2025-11-25 client/elicitation).

    `elicitations` are the pages as on the wire: objects with `url`, `message` and `elicitationId`.
    """

    def __init__(
        self, message: str, *, elicitations: list[dict[str, object]], data: object, server: str, phase: str
    ) -> None:
        super().__init__(message, code=URL_ELICITATION_REQUIRED, data=data, server=server, phase=phase)
        self.elicitations = elicitations


class NotApproved(ConversationError):
    """The host did not let the call go out; nothing was sent."""


class QuestionFailed(ConversationError):
    """The server asked something in the course of a call, and the host's callback failed or the user said no."""


class TooManyRounds(ConversationError):
    """The server answered a call with questions again and again, more often than this client goes along with."""
