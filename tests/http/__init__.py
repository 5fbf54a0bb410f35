"""HTTP: a server as an ASGI application, and a client that speaks to it."""
