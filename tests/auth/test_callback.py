"""What a browser brings back: whose answer it is comes first, and nothing of another one's is acted on or shown."""

import pytest

from mcport.auth.callback import MOST_SECONDS
from mcport.errors import AuthFailed

from .scripted import ISSUER, SERVER_METADATA, World, server_metadata


def refusal(world: World) -> AuthFailed:
    """Log in, in vain; nothing may have been sent to a token endpoint."""
    with pytest.raises(AuthFailed) as caught:
        world.log_in()
    assert world.forms == []
    return caught.value


@pytest.mark.parametrize("promised", [True, False, None])
@pytest.mark.parametrize(
    "issuer",
    [
        f"{ISSUER}/",
        "https://AS.example",
        "https://as.example:443",
        "https://as%2Eexample",
        "https://evil.example",
        "",
    ],
)
@pytest.mark.requirement(
    "auth.issuer.validated-before-code",
    "auth.issuer.present-compared",
    "auth.issuer.no-normalization",
    "auth.issuer.recorded",
)
def test_an_answer_of_another_issuer_is_refused_whatever_was_promised(promised: bool | None, issuer: str) -> None:
    world = World()
    world.documents[SERVER_METADATA] = server_metadata(authorization_response_iss_parameter_supported=promised)
    world.callback = {"iss": issuer}
    assert refusal(world).parameter == "iss"


@pytest.mark.parametrize("promised", [True, False, None])
@pytest.mark.requirement("auth.issuer.present-compared")
def test_an_answer_of_the_issuer_is_taken(promised: bool | None) -> None:
    world = World()
    world.documents[SERVER_METADATA] = server_metadata(authorization_response_iss_parameter_supported=promised)
    world.callback = {"iss": ISSUER}
    assert world.log_in().issuer == ISSUER


@pytest.mark.requirement("auth.issuer.absent-but-advertised", "auth.issuer.absent-not-advertised")
def test_an_answer_without_issuer_is_refused_where_one_was_promised_and_nowhere_else() -> None:
    world = World()
    assert world.log_in().issuer == ISSUER
    world = World()
    world.documents[SERVER_METADATA] = server_metadata(authorization_response_iss_parameter_supported=True)
    assert "iss: is missing" in str(refusal(world))


@pytest.mark.requirement("auth.issuer.error-response-ignored")
def test_an_error_of_another_issuer_is_neither_shown_nor_acted_on() -> None:
    world = World()
    lure = {"error": "lure", "error_description": "call 0900", "error_uri": "https://lure.example"}
    world.callback = {"code": None, "iss": "https://evil.example", **lure}
    error = refusal(world)
    assert (error.parameter, error.error) == ("iss", None)
    assert not any(each in str(error) for each in lure.values())


def test_an_error_of_the_issuer_reaches_the_caller_as_one_short_line() -> None:
    world = World()
    world.callback = {"code": None, "error": "access_denied", "error_description": "no\r\nway" + "!" * 999}
    error = refusal(world)
    assert error.error == "access_denied"
    assert error.cause.startswith("authorization: access_denied: no??way!!!")
    assert len(error.cause) < 300


@pytest.mark.parametrize("state", ["", "other", None])
@pytest.mark.requirement("auth.state.verified")
def test_an_answer_to_something_else_is_thrown_away(state: str | None) -> None:
    world = World()
    world.callback = {"state": state}
    assert refusal(world).parameter == "state"


@pytest.mark.requirement("auth.state.verified")
def test_an_answer_that_comes_much_too_late_is_thrown_away() -> None:
    world = World()
    world.takes = MOST_SECONDS + 1
    assert "older than 600 s" in str(refusal(world))


def test_an_answer_without_code_or_with_a_parameter_twice_is_thrown_away() -> None:
    world = World()
    world.callback = {"code": ""}
    assert refusal(world).parameter == "code"
    world = World()
    world.callback = {"code": "a"}
    world.twice = True
    assert "a parameter twice" in str(refusal(world))
