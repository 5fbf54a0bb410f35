"""The protocol without I/O: everything that decides, and nothing that waits.

No async, no clock, no randomness. Above it: the session. Below it: the specification and the error page.
"""
