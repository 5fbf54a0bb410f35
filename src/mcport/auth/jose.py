"""Signed tokens: the one room that knows `joserfc` (extra `mcport[auth]`).

It signs, and verifies with keys that it is given. Neither a key nor an algorithm is taken from what is verified, but
for `verify_own_key`, whose name says so. It judges signatures and forms; what a token claims is judged by who asked.
"""

from __future__ import annotations

import base64
import binascii
import importlib.util
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from mcport.core.jsonrpc import dump, parse_json

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
    from joserfc.jws import JWSRegistry

    Key: TypeAlias = ECKey | OctKey | OKPKey | RSAKey

JsonWebKey: TypeAlias = Mapping[str, Any]
"""A key as RFC 7517 writes it."""

KINDS: Final = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC", "EdDSA": "OKP", "Ed25519": "OKP",
}  # fmt: skip
"""The kind of key that each algorithm needs: asymmetric ones only, as whoever verifies must not be able to sign."""

TOKEN_BYTES: Final = 16 * 1024
"""No token or proof is longer."""

_SPARE_BYTES: Final = 4096
"""How long the header or the signature of a token may be."""

_CURVES: Final[dict[str, Literal["P-256", "P-384", "P-521"]]] = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class BadToken(ValueError):
    """A token is none, or its signature is wrong; the message says which, and nothing of what the token says."""


class Signed(NamedTuple):
    """What a token says of itself, and what it says."""

    header: dict[str, Any]
    claims: dict[str, Any]


def check_installed() -> None:
    """Raise ModuleNotFoundError, in one line, where joserfc is not installed: rather at the start than at a request."""
    if importlib.util.find_spec("joserfc") is None:
        raise ModuleNotFoundError("signed tokens need joserfc: pip install 'mcport[auth]'", name="joserfc")


def header_of(token: str) -> dict[str, Any]:
    """Return what a token says of itself before anything of it is verified. Raises `BadToken`."""
    if len(token) > TOKEN_BYTES:
        raise BadToken(f"it is longer than {TOKEN_BYTES} bytes")
    head, *rest = token.split(".")
    header = _read(head) if len(rest) == 2 else None
    if not isinstance(header, dict):
        raise BadToken("it is no signed JWT")
    if "crit" in header:
        raise BadToken("it has critical extensions, and none is known here")
    return header


def unverified(token: str) -> dict[str, Any]:
    """Return what a token claims before anything of it is verified: good for finding who could. Raises `BadToken`."""
    header_of(token)
    claims = _read(token.split(".")[1])
    if not isinstance(claims, dict):
        raise BadToken("it claims nothing that is a JSON object")
    return claims


def verify(token: str, keys: Sequence[JsonWebKey], algorithms: Collection[str]) -> Signed:
    """Return what a token says whose signature one of the keys made. Raises `BadToken`.

    `algorithms` are those that the caller allows; which keys are tried is decided by their kind and their `kid`.
    """
    header = header_of(token)
    algorithm = _allowed(header, algorithms)
    fitting = [each for each in keys if _fits(each, algorithm, header.get("kid"))]
    if not fitting:
        raise BadToken("none of the issuer's keys fits it")
    for key in fitting:
        claims = _claims(token, algorithm, key)
        if claims is not None:
            return Signed(header, claims)
    raise BadToken("its signature is wrong")


def verify_own_key(token: str, algorithms: Collection[str]) -> Signed:
    """Return what a proof says that was signed by the key in its own header. Raises `BadToken`.

    It proves that whoever made it has that key, and nothing else (RFC 9449 4.2).
    """
    header = header_of(token)
    algorithm = _allowed(header, algorithms)
    key = header.get("jwk")
    if not isinstance(key, dict) or not _fits(key, algorithm, None) or not _PRIVATE.isdisjoint(key):
        raise BadToken("it has no public key of its own that fits its algorithm")
    claims = _claims(token, algorithm, key)
    if claims is None:
        raise BadToken("its signature is wrong")
    return Signed(header, claims)


def sign(claims: Mapping[str, Any], key: str | JsonWebKey, algorithm: str, header: Mapping[str, Any] = {}) -> str:
    """Return a signed token. `key` is a private one, as PEM text or a JSON Web Key. Raises ValueError for any other."""
    from joserfc import jws

    own = _key(key, algorithm)
    if not own.is_private:
        raise ValueError("a token is signed by a private key, and this one is public")
    with _quiet(algorithm):
        return jws.serialize_compact(
            {"alg": algorithm, **header}, dump(claims), own, algorithms=[algorithm], registry=_registry(algorithm)
        )


def new_key(algorithm: str = "ES256") -> dict[str, Any]:
    """Return a new private key for an algorithm."""
    from joserfc import jwk

    kind = _kind(algorithm)
    if kind == "RSA":
        return dict(jwk.generate_key("RSA", 2048).as_dict(private=True))
    if kind == "EC":
        return dict(jwk.generate_key("EC", _CURVES[algorithm]).as_dict(private=True))
    return dict(jwk.generate_key("OKP", "Ed25519").as_dict(private=True))


def public_key(key: str | JsonWebKey, algorithm: str) -> dict[str, Any]:
    """Return what others may know of a key."""
    return dict(_key(key, algorithm).as_dict(private=False))


def thumbprint(key: JsonWebKey) -> str:
    """Return the digest that stands for a key (RFC 7638). Raises ValueError for what is none."""
    from joserfc import errors, jwk

    try:
        return jwk.import_key({**key}).thumbprint()
    except (errors.JoseError, ValueError, KeyError, TypeError):
        raise ValueError("this is no JSON Web Key") from None


def _allowed(header: Mapping[str, Any], algorithms: Collection[str]) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in KINDS:
        raise BadToken("it is signed by an algorithm that is not allowed here")
    return algorithm


def _fits(key: JsonWebKey, algorithm: str, id: object) -> bool:
    """Whether a token with this algorithm and key id may have been signed by a key."""
    return (
        key.get("kty") == KINDS[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (id is None or key.get("kid") in (None, id))
        and key.get("crv") in (None, _CURVES.get(algorithm), "Ed25519")
    )


def _claims(token: str, algorithm: str, key: JsonWebKey) -> dict[str, Any] | None:
    """Return what a token says if this key signed it, else None. Raises `BadToken` for what is no claims."""
    from joserfc import errors, jws

    try:
        own = _key(key, algorithm)
    except ValueError:
        return None  # what is no key has signed nothing; another one of the issuer's may have
    try:
        with _quiet(algorithm):
            signed = jws.deserialize_compact(token, own, algorithms=[algorithm], registry=_registry(algorithm))
    except errors.BadSignatureError:
        return None
    except (errors.JoseError, ValueError):
        raise BadToken("it is no signed JWT") from None
    try:
        claims = parse_json(signed.payload)
    except ValueError:
        claims = None
    if not isinstance(claims, dict):
        raise BadToken("it claims nothing that is a JSON object")
    return claims


def _key(key: str | JsonWebKey, algorithm: str) -> Key:
    from joserfc import errors, jwk

    kind = _kind(algorithm)
    try:
        if isinstance(key, str):
            return jwk.import_key(key, kind)  # type: ignore[call-overload,no-any-return]
        return jwk.import_key({**key})
    except (errors.JoseError, ValueError, KeyError, TypeError):
        raise ValueError(f"this is no key for {algorithm}: it takes a key of type {kind}, as PEM or JSON") from None


def _kind(algorithm: str) -> str:
    kind = KINDS.get(algorithm)
    if kind is None:
        raise ValueError(f"{algorithm!r:.40} is none of the algorithms {', '.join(KINDS)}")
    return kind


def _registry(algorithm: str) -> JWSRegistry:
    from joserfc.jws import JWSRegistry

    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = registry.max_signature_length = _SPARE_BYTES
    return registry


def _quiet(algorithm: str) -> AbstractContextManager[None]:
    """Let joserfc keep its warning that EdDSA has a newer name: issuers use the older one."""
    return _without_warnings() if algorithm == "EdDSA" else nullcontext()


@contextmanager
def _without_warnings() -> Iterator[None]:
    from joserfc.errors import SecurityWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        yield


def _read(segment: str) -> object:
    """Return the JSON of a segment, None where it is none."""
    try:
        data = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
        return parse_json(data)
    except (ValueError, binascii.Error):
        return None
