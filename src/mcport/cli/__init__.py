"""The command `mcport`. The only part of mcport that prints.

Below: the server, the client and the bundled examples.
"""

from .main import main

__all__ = ["main"]
