"""What the tests of the client share: a bound on time (`usefixtures("in_time")`)."""

from collections.abc import AsyncIterator

import anyio
import pytest


@pytest.fixture
async def in_time() -> AsyncIterator[None]:
    """Fail instead of hanging."""
    with anyio.fail_after(10):
        yield
