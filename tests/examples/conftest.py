"""What the tests of the examples share."""

from tests.cli.conftest import here

__all__ = ["here"]
