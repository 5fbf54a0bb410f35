"""What was said, as text: for tests that know that it is text."""

from typing import Any


def said(thing: Any) -> str:
    """Return the text of the first block, content or message of a result."""
    for member in ("content", "contents", "messages"):
        blocks: Any = getattr(thing, member, None)
        if blocks is not None:
            block: Any = blocks[0] if isinstance(blocks, list) else blocks
            text: str = getattr(block, "content", block).text
            return text
    raise TypeError(f"nothing is said in {thing!r}")
