"""What handlers need and do not make themselves: `Depends`, and everything that fills it in.

A handler without dependencies is not touched by this room: who has some is known when it is registered, and only then
is something put between the handler and who calls it.
"""

from .dependencies import Dependencies
from .depends import Depends

__all__ = ["Dependencies", "Depends"]
