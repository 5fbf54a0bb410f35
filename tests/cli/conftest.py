"""What the tests of the command share."""

from typing import Any

import pytest

from mcport.cli import conversation
from mcport.cli.destination import destination
from tests.cli.commands import Here, Meant


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    """Runs the command in this process."""
    return Here(capsys, monkeypatch)


@pytest.fixture
def meant(monkeypatch: pytest.MonkeyPatch) -> Meant:
    """Lets the word `desk` mean a server of the test."""

    def mean(target: Any) -> None:
        def found(words: list[str], *rest: Any) -> Any:
            return words.pop(0) and target if words[:1] == ["desk"] else destination(words, *rest)

        monkeypatch.setattr(conversation, "destination", found)

    return mean
