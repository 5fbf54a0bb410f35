"""A server over HTTP: an ASGI application with one endpoint for all revisions."""
