"""mcport: the Model Context Protocol for Python, both sides, five revisions, on asyncio and trio.

    from mcport import Client, Context, Server

Names are loaded when they are first used, so that importing mcport costs nearly nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcport.version import __version__ as __version__

if TYPE_CHECKING:
    from .auth.assertions import SigningKey as SigningKey
    from .auth.bearer.bearer import BearerAuth as BearerAuth
    from .auth.bearer.denied import Unverifiable as Unverifiable
    from .auth.bearer.issuers import asked_of as asked_of
    from .auth.bearer.issuers import signed_by as signed_by
    from .auth.bearer.verifying import StaticTokens as StaticTokens
    from .auth.bearer.verifying import Verifier as Verifier
    from .auth.client import OAuth as OAuth
    from .auth.dpop import DPoP as DPoP
    from .auth.enterprise import EnterpriseManaged as EnterpriseManaged
    from .auth.enterprise import IdentityProvider as IdentityProvider
    from .auth.granted import Granted as Granted
    from .auth.machines import ClientCredentials as ClientCredentials
    from .auth.machines import WorkloadIdentity as WorkloadIdentity
    from .client.answering.defaults import fill_defaults as fill_defaults
    from .client.answering.proposed import Asker as Asker
    from .client.answering.proposed import ProposedCall as ProposedCall
    from .client.caching import ResultCache as ResultCache
    from .client.callbacks import Sampling as Sampling
    from .client.client import Client as Client
    from .client.extension import ClientExtension as ClientExtension
    from .client.handle import CallHandle as CallHandle
    from .client.listening.changes import Change as Change
    from .client.listening.changes import Notified as Notified
    from .client.listening.changes import PromptsChanged as PromptsChanged
    from .client.listening.changes import ResourcesChanged as ResourcesChanged
    from .client.listening.changes import ResourceUpdated as ResourceUpdated
    from .client.listening.changes import ToolsChanged as ToolsChanged
    from .client.listening.listening import Changes as Changes
    from .client.tool_calls.definitions import DefinitionChanged as DefinitionChanged
    from .client.tool_calls.tool_result import ToolResult as ToolResult
    from .content import text_of as text_of
    from .core.input_required import InputRequired as InputRequired
    from .core.limits import Limits as Limits
    from .core.principal import Principal as Principal
    from .errors import AuthFailed as AuthFailed
    from .errors import Cancelled as Cancelled
    from .errors import ConnectFailed as ConnectFailed
    from .errors import ConnectionLost as ConnectionLost
    from .errors import ConversationError as ConversationError
    from .errors import ExtensionAnswered as ExtensionAnswered
    from .errors import HttpRefused as HttpRefused
    from .errors import InvalidAnswer as InvalidAnswer
    from .errors import McportError as McportError
    from .errors import MissingCapability as MissingCapability
    from .errors import NotApproved as NotApproved
    from .errors import NotDeclared as NotDeclared
    from .errors import OutputInvalid as OutputInvalid
    from .errors import ProtocolError as ProtocolError
    from .errors import QuestionFailed as QuestionFailed
    from .errors import Rejected as Rejected
    from .errors import RemoteError as RemoteError
    from .errors import ResourceNotFound as ResourceNotFound
    from .errors import Timeout as Timeout
    from .errors import ToolError as ToolError
    from .errors import ToolFailed as ToolFailed
    from .errors import TooManyRounds as TooManyRounds
    from .errors import UrlElicitationRequired as UrlElicitationRequired
    from .errors import VisitRequired as VisitRequired
    from .server.asking.boundaries import within_roots as within_roots
    from .server.asking.questions import Accepted as Accepted
    from .server.asking.questions import Elicit as Elicit
    from .server.asking.questions import Elicited as Elicited
    from .server.asking.questions import ElicitUrl as ElicitUrl
    from .server.asking.questions import ListRoots as ListRoots
    from .server.asking.questions import Refused as Refused
    from .server.asking.sampling import Sample as Sample
    from .server.dependencies.depends import Depends as Depends
    from .server.extensions.extension import Extension as Extension
    from .server.extensions.extension_result import ExtensionResult as ExtensionResult
    from .server.handling.context import Context as Context
    from .server.middleware.middleware import Middleware as Middleware
    from .server.middleware.middleware import Next as Next
    from .server.middleware.rate_limit import RateLimit as RateLimit
    from .server.middleware.requests import ClientNotification as ClientNotification
    from .server.middleware.requests import Completing as Completing
    from .server.middleware.requests import ListRequest as ListRequest
    from .server.middleware.requests import PromptGet as PromptGet
    from .server.middleware.requests import Request as Request
    from .server.middleware.requests import ResourceRead as ResourceRead
    from .server.middleware.requests import ToolCall as ToolCall
    from .server.offering.cache_hint import CacheHint as CacheHint
    from .server.server import Server as Server
    from .session.channel import EndOfStream as EndOfStream
    from .session.channel import Transport as Transport
    from .stores.token_file import FileTokens as FileTokens
    from .stores.token_keyring import KeyringTokens as KeyringTokens
    from .stores.tokens import MemoryTokens as MemoryTokens
    from .stores.tokens import TokenStore as TokenStore
    from .transports.streams import StreamTransport as StreamTransport
    from .transports.streams import connect_tcp as connect_tcp
    from .transports.streams import connect_unix as connect_unix
    from .transports.streams import serve_tcp as serve_tcp
    from .transports.streams import serve_unix as serve_unix

_HOMES = {
    "OAuth": "auth.client",
    "ClientCredentials": "auth.machines",
    "DPoP": "auth.dpop",
    "EnterpriseManaged": "auth.enterprise",
    "Granted": "auth.granted",
    "IdentityProvider": "auth.enterprise",
    "SigningKey": "auth.assertions",
    "WorkloadIdentity": "auth.machines",
    "BearerAuth": "auth.bearer.bearer",
    "StaticTokens": "auth.bearer.verifying",
    "Unverifiable": "auth.bearer.denied",
    "Verifier": "auth.bearer.verifying",
    "asked_of": "auth.bearer.issuers",
    "signed_by": "auth.bearer.issuers",
    "Principal": "core.principal",
    "ResultCache": "client.caching",
    "Asker": "client.answering.proposed",
    "ProposedCall": "client.answering.proposed",
    "Sampling": "client.callbacks",
    "Change": "client.listening.changes",
    "Notified": "client.listening.changes",
    "PromptsChanged": "client.listening.changes",
    "ResourceUpdated": "client.listening.changes",
    "ResourcesChanged": "client.listening.changes",
    "ToolsChanged": "client.listening.changes",
    "Client": "client.client",
    "ToolFailed": "errors",
    "OutputInvalid": "errors",
    "ToolResult": "client.tool_calls.tool_result",
    "DefinitionChanged": "client.tool_calls.definitions",
    "fill_defaults": "client.answering.defaults",
    "ClientExtension": "client.extension",
    "CallHandle": "client.handle",
    "Changes": "client.listening.listening",
    "text_of": "content",
    "InputRequired": "core.input_required",
    "Limits": "core.limits",
    "AuthFailed": "errors",
    "Cancelled": "errors",
    "ConnectFailed": "errors",
    "ConnectionLost": "errors",
    "ConversationError": "errors",
    "ExtensionAnswered": "errors",
    "HttpRefused": "errors",
    "InvalidAnswer": "errors",
    "McportError": "errors",
    "MissingCapability": "errors",
    "NotApproved": "errors",
    "NotDeclared": "errors",
    "ProtocolError": "errors",
    "QuestionFailed": "errors",
    "Rejected": "errors",
    "RemoteError": "errors",
    "ResourceNotFound": "errors",
    "Timeout": "errors",
    "TooManyRounds": "errors",
    "ToolError": "errors",
    "UrlElicitationRequired": "errors",
    "VisitRequired": "errors",
    "CacheHint": "server.offering.cache_hint",
    "Context": "server.handling.context",
    "Depends": "server.dependencies.depends",
    "Extension": "server.extensions.extension",
    "ExtensionResult": "server.extensions.extension_result",
    "Middleware": "server.middleware.middleware",
    "Next": "server.middleware.middleware",
    "Completing": "server.middleware.requests",
    "ListRequest": "server.middleware.requests",
    "ClientNotification": "server.middleware.requests",
    "PromptGet": "server.middleware.requests",
    "Request": "server.middleware.requests",
    "ResourceRead": "server.middleware.requests",
    "ToolCall": "server.middleware.requests",
    "within_roots": "server.asking.boundaries",
    "Elicit": "server.asking.questions",
    "ElicitUrl": "server.asking.questions",
    "Accepted": "server.asking.questions",
    "Elicited": "server.asking.questions",
    "Refused": "server.asking.questions",
    "ListRoots": "server.asking.questions",
    "Sample": "server.asking.sampling",
    "RateLimit": "server.middleware.rate_limit",
    "Server": "server.server",
    "EndOfStream": "session.channel",
    "Transport": "session.channel",
    "FileTokens": "stores.token_file",
    "KeyringTokens": "stores.token_keyring",
    "MemoryTokens": "stores.tokens",
    "TokenStore": "stores.tokens",
    "StreamTransport": "transports.streams",
    "connect_tcp": "transports.streams",
    "connect_unix": "transports.streams",
    "serve_tcp": "transports.streams",
    "serve_unix": "transports.streams",
}

__all__ = [
    "Accepted",
    "Asker",
    "AuthFailed",
    "BearerAuth",
    "CacheHint",
    "CallHandle",
    "Cancelled",
    "Change",
    "Changes",
    "Client",
    "ClientCredentials",
    "ClientExtension",
    "ClientNotification",
    "Completing",
    "ConnectFailed",
    "ConnectionLost",
    "Context",
    "ConversationError",
    "DPoP",
    "DefinitionChanged",
    "Depends",
    "Elicit",
    "ElicitUrl",
    "Elicited",
    "EndOfStream",
    "EnterpriseManaged",
    "Extension",
    "ExtensionAnswered",
    "ExtensionResult",
    "FileTokens",
    "Granted",
    "HttpRefused",
    "IdentityProvider",
    "InputRequired",
    "InvalidAnswer",
    "KeyringTokens",
    "Limits",
    "ListRequest",
    "ListRoots",
    "McportError",
    "MemoryTokens",
    "Middleware",
    "MissingCapability",
    "Next",
    "NotApproved",
    "NotDeclared",
    "Notified",
    "OAuth",
    "OutputInvalid",
    "Principal",
    "PromptGet",
    "PromptsChanged",
    "ProposedCall",
    "ProtocolError",
    "QuestionFailed",
    "RateLimit",
    "Refused",
    "Rejected",
    "RemoteError",
    "Request",
    "ResourceNotFound",
    "ResourceRead",
    "ResourceUpdated",
    "ResourcesChanged",
    "ResultCache",
    "Sample",
    "Sampling",
    "Server",
    "SigningKey",
    "StaticTokens",
    "StreamTransport",
    "Timeout",
    "TokenStore",
    "TooManyRounds",
    "ToolCall",
    "ToolError",
    "ToolFailed",
    "ToolResult",
    "ToolsChanged",
    "Transport",
    "Unverifiable",
    "UrlElicitationRequired",
    "Verifier",
    "VisitRequired",
    "WorkloadIdentity",
    "__version__",
    "asked_of",
    "connect_tcp",
    "connect_unix",
    "fill_defaults",
    "serve_tcp",
    "serve_unix",
    "signed_by",
    "text_of",
    "within_roots",
]


def __getattr__(name: str) -> object:
    """Load a public name from the room where it lives."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mcport' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
