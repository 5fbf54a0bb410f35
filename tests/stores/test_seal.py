"""The seal: what it made opens where it was made for, and nothing else does."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcport.stores.seal import Seal, SealBroken

SIGNS = string.ascii_letters + string.digits + "-_+/"
KEY, OTHER = bytes(range(32)), bytes(range(32, 64))


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@given(st.binary(max_size=300), st.binary(max_size=50))
def test_what_was_sealed_opens_with_the_same_binding(data: bytes, binding: bytes) -> None:
    assert Seal(KEY).open(Seal(KEY).seal(data, binding, 60), binding) == data


@given(st.data())
def test_a_token_with_any_change_is_broken(data: st.DataObject) -> None:
    seal = Seal(KEY)
    token = seal.seal(b"state", b"b", 60)
    place = data.draw(st.integers(0, len(token) - 1))
    sign = data.draw(st.sampled_from("ABCxyz019-_=+/ \n"))
    changed = token[:place] + sign + token[place + 1 :]
    if changed != token:
        with pytest.raises(SealBroken):
            seal.open(changed, b"b")
    with pytest.raises(SealBroken):
        seal.open(token[:place], b"b")


@pytest.mark.parametrize("size", range(3))
def test_a_token_has_one_spelling(size: int) -> None:
    """Whatever bits its last sign leaves over; so a token can be looked up in a list of those that were used."""
    token = Seal(KEY).seal(b"s" * size, b"b", 60)
    for other in [*(token[:-1] + sign for sign in SIGNS if sign != token[-1]), token + "=", token + "==", token + "\n"]:
        with pytest.raises(SealBroken):
            Seal(KEY).open(other, b"b")


@given(st.text(max_size=80))
def test_what_was_never_sealed_is_broken(text: str) -> None:
    with pytest.raises(SealBroken):
        Seal(KEY).open(text, b"")


def test_another_binding_or_another_key_does_not_open_it() -> None:
    token = Seal(KEY).seal(b"state", b"tools/call a", 60)
    for seal, binding in ((Seal(KEY), b"tools/call b"), (Seal(OTHER), b"tools/call a"), (Seal(), b"tools/call a")):
        with pytest.raises(SealBroken):
            seal.open(token, binding)


def test_a_token_is_good_for_its_time_only() -> None:
    clock = Clock()
    seal = Seal(KEY, now=clock)
    token = seal.seal(b"state", b"", 60)
    clock.time += 59
    assert seal.open(token, b"") == b"state"
    clock.time += 2
    with pytest.raises(SealBroken):
        seal.open(token, b"")
    clock.time -= 200
    with pytest.raises(SealBroken):
        seal.open(token, b"")


def test_keys_can_be_changed_without_breaking_what_is_on_its_way() -> None:
    old, new, both = Seal(KEY), Seal(OTHER), Seal([OTHER, KEY])
    assert both.open(old.seal(b"x", b"", 60), b"") == b"x"
    assert new.open(both.seal(b"x", b"", 60), b"") == b"x"
    with pytest.raises(SealBroken):
        old.open(both.seal(b"x", b"", 60), b"")


def test_without_a_key_each_seal_has_its_own() -> None:
    seal = Seal()
    assert seal.open(seal.seal(b"x", b"", 60), b"") == b"x"
    assert not seal.is_shared
    assert Seal(KEY).is_shared


def test_the_same_data_never_looks_the_same_and_cannot_be_read() -> None:
    seal = Seal(KEY)
    tokens = {seal.seal(b"secret secret", b"", 60) for _ in range(10)}
    assert len(tokens) == 10
    for token in tokens:
        assert b"secret" not in base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def test_a_key_that_is_too_short_is_refused_and_none_is_ever_shown() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Seal(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        Seal([KEY, b"short"])
    assert "\\x01" not in repr(Seal(KEY))
