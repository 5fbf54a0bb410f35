"""Principals: names that know more of themselves, and compare as names."""

from __future__ import annotations

from typing import Any

import pytest

from mcport.core.principal import Principal, check_scopes


def test_a_principal_compares_as_its_name() -> None:
    ada = Principal("ada", scopes=["a"], claims={"x": 1})
    assert ada == "ada"
    known: dict[str, int] = {ada: 1}
    assert known["ada"] == 1
    assert Principal("ada", client_id="other") == ada


def test_people_of_different_issuers_are_different_people() -> None:
    names = {
        Principal("ada"),
        Principal("ada", issuer="https://a.example"),
        Principal("ada", issuer="https://b.example"),
    }
    assert len(names) == 3
    assert Principal("ada", issuer="https://a.example").subject == "ada"


def test_what_is_known_of_somebody_cannot_be_changed() -> None:
    claims = {"x": 1}
    ada = Principal("ada", claims=claims)
    claims["x"] = 2
    assert ada.claims["x"] == 1
    with pytest.raises(TypeError):
        ada.claims["x"] = 3  # type: ignore[index]


def test_nobody_is_no_principal() -> None:
    with pytest.raises(ValueError, match="subject"):
        Principal("")


def test_a_name_is_a_principal_of_whom_nothing_more_is_known() -> None:
    ada = Principal("ada", scopes=["a", "b"])
    assert Principal.of(ada) is ada
    bob = Principal.of("bob")
    assert (bob.subject, bob.scopes, bob.claims, bob.expires_at) == ("bob", frozenset(), {}, None)
    assert ada.may("a", "b")
    assert ada.may()
    assert not ada.may("a", "c")


def test_its_repr_shows_no_claims() -> None:
    assert "secret" not in repr(Principal("ada", claims={"email": "secret"}))


@pytest.mark.parametrize(
    ("said", "meant"), [("a", ("a",)), (["a", "b", "a"], ("a", "b")), ((), ()), ({"x:y/z"}, ("x:y/z",))]
)
def test_scopes_are_one_or_several(said: Any, meant: tuple[str, ...]) -> None:
    assert check_scopes(said) == meant


@pytest.mark.parametrize("said", ["a b", "", 'a"', "a\\b", "é", ["a", 1], "offline_access", 7, None, {"a": 1}])
def test_what_is_no_scope_is_refused_in_one_line(said: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        check_scopes(said)
    assert "\n" not in str(caught.value)
