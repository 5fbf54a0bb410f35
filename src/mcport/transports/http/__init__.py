"""HTTP, both ways: `server` is an ASGI app, `client` speaks to servers anywhere."""
