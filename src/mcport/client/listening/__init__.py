"""Listening to what changes at a server."""
