"""Signed tokens: what is accepted, and above all what is not (RFC 7515, RFC 8725)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.auth import jose
from mcport.auth.jose import BadToken, header_of, new_key, public_key, sign, thumbprint, verify, verify_own_key

KEY = {**new_key(), "kid": "one"}
PUBLIC = {**public_key(KEY, "ES256"), "kid": "one"}


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def refused(token: str, keys: list[dict[str, Any]] | None = None, algorithms: tuple[str, ...] = ("ES256",)) -> str:
    with pytest.raises(BadToken) as caught:
        verify(token, keys or [PUBLIC], algorithms)
    return str(caught.value)


@pytest.mark.parametrize("algorithm", jose.KINDS)
def test_what_a_key_signed_its_public_part_verifies(algorithm: str) -> None:
    key = new_key(algorithm)
    token = sign({"sub": "ada"}, key, algorithm, {"typ": "at+jwt"})
    signed = verify(token, [public_key(key, algorithm)], [algorithm])
    assert signed.claims == {"sub": "ada"}
    assert signed.header == {"alg": algorithm, "typ": "at+jwt"}


def test_a_token_without_a_signature_is_refused() -> None:
    token = f"{segment({'alg': 'none'})}.{segment({'sub': 'ada'})}."
    assert "not allowed" in refused(token)
    assert "not allowed" in refused(token, algorithms=("none",))


def test_a_public_key_is_never_taken_for_a_secret() -> None:
    signing_input = f"{segment({'alg': 'HS256'})}.{segment({'sub': 'ada'})}"
    for secret in (json.dumps(PUBLIC).encode(), PUBLIC["x"].encode()):
        mac = base64.urlsafe_b64encode(hmac.new(secret, signing_input.encode(), hashlib.sha256).digest())
        token = f"{signing_input}.{mac.rstrip(b'=').decode()}"
        assert "not allowed" in refused(token)
        assert "not allowed" in refused(token, algorithms=("HS256",))


def test_the_algorithm_is_chosen_by_who_verifies() -> None:
    token = sign({}, new_key("RS256"), "RS256")
    assert "an algorithm that is not allowed" in refused(token)


def test_critical_extensions_are_refused_as_none_is_known() -> None:
    _head, claims, signature = sign({}, KEY, "ES256").split(".")
    assert "critical" in refused(f"{segment({'alg': 'ES256', 'crit': ['b64'], 'b64': False})}.{claims}.{signature}")


def test_a_key_in_the_header_is_not_used() -> None:
    stranger = new_key()
    token = sign({"sub": "mallory"}, stranger, "ES256", {"jwk": public_key(stranger, "ES256"), "kid": "one"})
    assert refused(token) == "its signature is wrong"


def test_a_key_with_another_id_or_purpose_is_not_tried() -> None:
    token = sign({}, KEY, "ES256", {"kid": "one"})
    verify(token, [PUBLIC], ["ES256"])
    assert "none of the issuer's keys" in refused(token, [{**PUBLIC, "kid": "two"}])
    assert "none of the issuer's keys" in refused(token, [{**PUBLIC, "use": "enc"}])
    assert "none of the issuer's keys" in refused(token, [{**PUBLIC, "alg": "ES384"}])


def test_without_an_id_each_fitting_key_is_tried() -> None:
    others = [public_key(new_key(), "ES256") for _ in range(2)]
    assert verify(sign({"n": 1}, KEY, "ES256"), [*others, PUBLIC], ["ES256"]).claims == {"n": 1}


def test_what_was_changed_after_signing_is_refused() -> None:
    head, _claims, signature = sign({"sub": "ada"}, KEY, "ES256").split(".")
    assert refused(f"{head}.{segment({'sub': 'eve'})}.{signature}") == "its signature is wrong"


@pytest.mark.parametrize(
    "token",
    ["", "a", "a.b", "a.b.c", "a.b.c.d", "é.é.é", f"{segment([1])}.e30.e30", "e30=.e30.e30", " .. ", "e30.e30.e30\n"],
)
def test_what_is_no_token_is_refused_in_one_line(token: str) -> None:
    assert "\n" not in refused(token)


def test_claims_are_read_strictly() -> None:
    for payload in (b'{"sub": "ada", "sub": "eve"}', b"[1]", b"{", b'"x"'):
        head = f"{segment({'alg': 'ES256'})}.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}"
        assert "claims nothing" in refused(resigned(head))


def resigned(signing_input: str) -> str:
    """A token with a right signature over any payload."""
    from joserfc import jws

    _head, payload = signing_input.split(".")
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    return jws.serialize_compact({"alg": "ES256"}, raw, jose._key(KEY, "ES256"), algorithms=["ES256"])


def test_a_token_beyond_the_bound_is_not_looked_at() -> None:
    assert "longer than" in refused("a" * (jose.TOKEN_BYTES + 1))


def test_a_proof_is_verified_by_the_key_that_it_carries() -> None:
    proof = sign({"jti": "1"}, KEY, "ES256", {"typ": "dpop+jwt", "jwk": public_key(KEY, "ES256")})
    assert verify_own_key(proof, ["ES256"]).claims == {"jti": "1"}
    _head, claims, signature = proof.split(".")
    other = segment({"alg": "ES256", "typ": "dpop+jwt", "jwk": public_key(new_key(), "ES256")})
    with pytest.raises(BadToken, match="signature"):
        verify_own_key(f"{other}.{claims}.{signature}", ["ES256"])


@pytest.mark.parametrize("jwk", [None, "x", {}, {"kty": "EC"}, KEY, {"kty": "oct", "k": "c2VjcmV0"}])
def test_a_proof_without_a_public_key_of_its_own_is_refused(jwk: object) -> None:
    _, claims, signature = sign({}, KEY, "ES256").split(".")
    with pytest.raises(BadToken):
        verify_own_key(f"{segment({'alg': 'ES256', 'jwk': jwk})}.{claims}.{signature}", ["ES256", "HS256"])


def test_only_private_keys_sign() -> None:
    with pytest.raises(ValueError, match="public"):
        sign({}, PUBLIC, "ES256")
    for nothing in ("x", {}, {"kty": "EC"}):
        with pytest.raises(ValueError, match="no key for ES256"):
            sign({}, nothing, "ES256")
    with pytest.raises(ValueError, match="'HS256' is none of the algorithms"):
        sign({}, KEY, "HS256")


def test_a_thumbprint_stands_for_the_key_itself_and_not_for_what_is_said_of_it() -> None:
    assert thumbprint(KEY) == thumbprint(public_key(KEY, "ES256")) == thumbprint({**PUBLIC, "kid": "other"})
    assert thumbprint(new_key()) != thumbprint(KEY)
    with pytest.raises(ValueError, match="no JSON Web Key"):
        thumbprint({"kty": "EC"})


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=80))
def test_any_text_is_either_a_header_or_refused(text: str) -> None:
    with contextlib.suppress(BadToken):
        assert isinstance(header_of(text), dict)
