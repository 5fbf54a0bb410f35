"""What developers need beside a server or a client to try them out: never for production."""

from __future__ import annotations

from .authorization import AuthorizationServer as AuthorizationServer
from .clients import Registered as Registered
from .running import at_loopback as at_loopback
from .running import serving as serving

__all__ = ["AuthorizationServer", "Registered", "at_loopback", "serving"]
