"""Which server a request is for, where its own URL does not say so: a server may have itself asked elsewhere.

Whoever sends requests with tokens has to know (RFC 8707): a redirect, or the endpoint that HTTP+SSE names for POSTs,
makes no other server of it. Below: nothing.
"""

from __future__ import annotations

from typing import Final

SERVER: Final = "mcport.server"
"""Under this name the URL of the server stands among the extensions of a request of httpx."""
