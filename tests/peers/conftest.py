"""Fixtures that hand over a peer, or skip the test with the command that installs it."""

from pathlib import Path

import pytest

from tests.peers import places

HOW = "run python tests/peers/install.py"


@pytest.fixture(scope="session")
def official_python() -> str:
    """The interpreter that has the official SDK."""
    return str(_there(places.official_python(), places.OFFICIAL_HOME))


@pytest.fixture(scope="session")
def everything() -> list[str]:
    """The command that starts server-everything over stdio."""
    return [_node(), str(_there(places.everything_script(), places.NPM_HOMES[places.EVERYTHING]))]


@pytest.fixture(scope="session")
def oidc_provider() -> list[str]:
    """The command that starts an identity provider on a port of this machine."""
    module = _there(places.oidc_provider_module(), places.NPM_HOMES[places.OIDC_PROVIDER])
    return [_node(), str(Path(__file__).with_name("oidc_provider.mjs")), str(module)]


def _node() -> str:
    node = places.node()
    if node is None:
        pytest.skip(f"there is no node: {HOW}")
    return str(node)


def _there(path: Path, home: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{home.relative_to(places.ROOT)} is not installed: {HOW}")
    return path
