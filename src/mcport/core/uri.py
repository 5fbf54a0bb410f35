"""What a URI looks like (RFC 3986), and which of them would lead out of a directory.

Characters beyond ASCII are let in, as in the IRIs of RFC 3987: they stand for their percent-encoded form. It does not
know schemes, but for what `file:` does with dots. Nothing sits below.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

_CHARACTER: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|[^\x00-\x9f\ud800-\udfff]|%[0-9A-Fa-f]{2})"
_URI: Final = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*:(?://(?:{_CHARACTER}*@)?\[[0-9A-Za-z.:~_-]+\](?::[0-9]*)?(?=[/?#]|\Z))?"
    rf"(?:{_CHARACTER}|[/?])*(?:#(?:{_CHARACTER}|[/?])*)?"
)


def is_uri(text: str) -> bool:
    """Whether a text is a URI with a scheme."""
    return _URI.fullmatch(text) is not None


def climbs(uri: str) -> bool:
    """Whether a `file:` URI has a step upwards in its path, in any disguise, or what no path may hold."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != "file":
        return False
    path = unquote(rest.partition("?")[0].partition("#")[0])
    return "\0" in path or ".." in re.split(r"[/\\]", path)
