"""Tokens that were judged a moment ago: for how long, and how many."""

from __future__ import annotations

from mcport.auth.bearer.known import Known
from mcport.core.principal import Principal


def test_a_token_is_known_for_so_many_seconds_and_no_longer_than_it_is_good() -> None:
    known = Known(60)
    known.keep("lasting", Principal("ada"), 100.0)
    known.keep("ending", Principal("bob", expires_at=110.0), 100.0)
    assert (known.get("lasting", 159.9), known.get("lasting", 160.0)) == ("ada", None)
    assert (known.get("ending", 109.9), known.get("ending", 110.0)) == ("bob", None)
    assert known.get("other", 100.0) is None


def test_the_longest_unjudged_one_makes_room() -> None:
    known = Known(60, most=2)
    for token in ("a", "b", "a", "c"):
        known.keep(token, Principal(token), 0.0)
    assert [known.get(token, 1.0) for token in ("a", "b", "c")] == ["a", None, "c"]


def test_nothing_is_kept_where_every_request_is_to_be_judged() -> None:
    known = Known(0)
    known.keep("a", Principal("a"), 0.0)
    assert known.get("a", 0.0) is None


def test_tokens_themselves_are_not_kept() -> None:
    known = Known(60)
    known.keep("the-token", Principal("a"), 0.0)
    assert "the-token" not in repr(vars(known))
