"""What the tests of the blocking client share."""

from collections.abc import Iterator

import pytest

from mcport import sync
from tests.sync.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def client(desk: Desk) -> Iterator[sync.Client]:
    with sync.Client(desk.server) as client:
        yield client
