"""Which requests may be asked again where nobody knows whether they were carried out.

Below: nothing of mcport.
"""

from __future__ import annotations

from typing import Final

REPEATABLE: Final = frozenset(
    {
        "ping",
        "server/discover",
        "subscriptions/listen",
        "tools/list",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "prompts/list",
        "prompts/get",
        "completion/complete",
        "logging/setLevel",
    }
)
"""They change nothing, or nothing twice. A tool that is called may do anything, so it is never called again."""
