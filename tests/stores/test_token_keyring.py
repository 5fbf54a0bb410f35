"""Tokens in a keyring: one that is made up here, since no test asks a person to unlock theirs."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from mcport.stores.token_keyring import KeyringTokens


class Missing(Exception):
    """What the package raises for an entry that is not there."""


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    kept: dict[tuple[str, str], str] = {}

    def delete(service: str, name: str) -> None:
        if (service, name) not in kept:
            raise Missing
        del kept[service, name]

    module = ModuleType("keyring")
    module.get_password = lambda service, name: kept.get((service, name))  # type: ignore[attr-defined]
    module.set_password = lambda service, name, value: kept.update({(service, name): value})  # type: ignore[attr-defined]
    module.delete_password = delete  # type: ignore[attr-defined]
    module.errors = SimpleNamespace(PasswordDeleteError=Missing)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)
    return kept


async def test_what_is_kept_is_an_entry_of_its_own(entries: dict[tuple[str, str], str]) -> None:
    store = KeyringTokens("test")
    await store.set("k", "v")
    assert entries == {("test", "k"): "v"}
    assert await store.get("k") == "v"
    await store.delete("k")
    await store.delete("k")
    assert await store.get("k") is None
    assert repr(store) == "KeyringTokens('test')"


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ImportError, match=r"pip install 'mcport\[keyring\]'"):
        KeyringTokens()
