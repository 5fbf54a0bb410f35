"""What the tests of the command share."""

import pytest

from tests.cli.commands import Here


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    """Runs the command in this process."""
    return Here(capsys, monkeypatch)
