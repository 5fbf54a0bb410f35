"""A client logs in for real: over sockets of this machine, on both event loops, at the development server."""

import math
from collections import Counter
from pathlib import Path

import anyio
import httpx
import pytest

from mcport import AuthFailed, Client, FileTokens, OAuth
from mcport.auth.driver import Patient
from mcport.client.standstill import Standstill

from .conftest import Realm


@pytest.mark.requirement("auth.token.header", "auth.token.every-request", "auth.token.not-in-query")
async def test_a_client_logs_in_and_every_request_bears_the_token(realm: Realm) -> None:
    async with Client(realm.url, auth=realm.oauth()) as client:
        await client.list_tools()
    [page] = realm.pages
    assert page.startswith(f"{realm.authority.server.issuer}/authorize?")
    (_, first), *later = realm.server.seen
    assert first is None
    assert len(later) >= 2
    assert {str(header).partition(" ")[0] for _, header in later} == {"Bearer"}


@pytest.mark.requirement("auth.security.token-storage")
async def test_a_restart_does_not_log_the_person_out(realm: Realm, tmp_path: Path) -> None:
    for _ in range(2):
        assert await realm.ask(realm.oauth(store=FileTokens(tmp_path / "tokens.json"))) == 200
    assert len(realm.pages) == 1


@pytest.mark.requirement("auth.refresh.rotation-stored")
async def test_a_token_that_is_refused_is_refreshed_before_the_person_is_asked(realm: Realm) -> None:
    auth = realm.oauth()
    for _ in range(3):
        assert await realm.ask(auth) == 200
        tokens = await auth.status(realm.url)
        assert tokens is not None
        realm.authority.revoked.add(tokens.access.reveal())
    assert len(realm.pages) == 1
    assert Counter(realm.authority.asked)["POST /token"] == 3


async def test_two_processes_refresh_one_after_the_other(realm: Realm, tmp_path: Path) -> None:
    ones = [realm.oauth(store=FileTokens(tmp_path / "tokens.json")) for _ in range(2)]
    assert [await realm.ask(each) for each in ones] == [200, 200]
    tokens = await ones[0].status(realm.url)
    assert tokens is not None
    realm.authority.revoked.add(tokens.access.reveal())
    async with anyio.create_task_group() as group:
        for each in ones:
            group.start_soon(realm.ask, each)
    assert Counter(realm.authority.asked)["POST /token"] == 2
    assert len(realm.pages) == 1


async def test_a_server_that_takes_no_token_asks_one_login_of_all_who_wait(realm: Realm) -> None:
    auth = realm.oauth()
    realm.server.good = lambda token: False
    failed: list[AuthFailed] = []

    async def ask() -> None:
        try:
            await realm.ask(auth)
        except AuthFailed as error:
            failed.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(ask)
    assert len(failed) == 4
    assert len(realm.pages) == 1


async def test_requests_side_by_side_cause_one_login(realm: Realm) -> None:
    auth = realm.oauth()
    statuses: list[int] = []

    async def ask() -> None:
        statuses.append(await realm.ask(auth))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
    assert statuses == [200] * 5
    assert len(realm.pages) == 1


async def test_whoever_is_cancelled_while_a_person_logs_in_takes_nothing_from_the_others(realm: Realm) -> None:
    auth, realm.go_on = realm.oauth(), anyio.Event()
    statuses: list[int] = []

    async def ask(scope: anyio.CancelScope) -> None:
        with scope:
            statuses.append(await realm.ask(auth))

    first, second = anyio.CancelScope(), anyio.CancelScope()
    async with anyio.create_task_group() as group:
        group.start_soon(ask, first)
        await realm.opened.wait()
        group.start_soon(ask, second)
        while len(realm.server.seen) < 2:
            await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()
        first.cancel()
        await anyio.wait_all_tasks_blocked()
        realm.go_on.set()
    assert (statuses, len(realm.pages)) == ([200], 1)


async def test_a_login_ends_once_nobody_waits_for_it(realm: Realm) -> None:
    auth, realm.go_on = realm.oauth(), anyio.Event()
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(realm.ask, auth)
            await realm.opened.wait()
            scope.cancel()
    await anyio.wait_all_tasks_blocked()
    realm.go_on.set()
    assert await realm.ask(auth) == 200
    assert len(realm.pages) == 2


async def test_a_failed_login_is_one_error_for_all_who_waited(realm: Realm) -> None:
    realm.authority.server.metadata["code_challenge_methods_supported"] = None
    auth = realm.oauth()
    errors: list[AuthFailed] = []

    async def ask() -> None:
        try:
            await realm.ask(auth)
        except AuthFailed as error:
            errors.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(ask)
    assert {error.parameter for error in errors} == {"code_challenge_methods_supported"}
    assert len(errors) == len(set(map(id, errors))) == 3


async def test_a_client_that_cannot_log_in_says_what_was_rejected(realm: Realm) -> None:
    realm.server.metadata["resource"] = "https://elsewhere.example/mcp"
    with pytest.raises(AuthFailed) as caught:
        async with Client(realm.url, auth=realm.oauth()):
            raise AssertionError("it is open")
    assert caught.value.parameter == "resource"
    assert "oauth-protected-resource/mcp: 200" in str(caught.value)
    assert realm.pages == []


async def test_the_time_of_a_server_stands_still_while_a_person_logs_in(realm: Realm) -> None:
    class Noting(OAuth):
        def attend(self, patient: Patient) -> None:
            noted.append(patient)
            super().attend(patient)

    noted: list[Patient] = []
    realm.go_on = anyio.Event()
    auth = Noting(open_url=realm.browse)

    async def connect() -> None:
        async with Client(realm.url, auth=auth) as client:
            assert client.connected

    async with anyio.create_task_group() as group:
        group.start_soon(connect)
        await realm.opened.wait()
        [opening] = [each for each in noted if isinstance(each, Standstill)]
        assert [bound.scope.deadline for bound in opening._running] == [math.inf] * 2
        realm.go_on.set()
    assert len(noted) == 2


async def test_nobody_who_comes_back_is_an_error_after_a_while(realm: Realm) -> None:
    auth = realm.oauth(open_url=lambda page: None, timeout=0.05)
    with pytest.raises(AuthFailed, match=r"nobody came back within 0\.05 s"):
        await realm.ask(auth)


async def test_a_page_that_cannot_be_opened_is_an_error(realm: Realm) -> None:
    def refuse(page: str) -> None:
        raise RuntimeError("no display")

    with pytest.raises(AuthFailed, match="the page could not be opened: RuntimeError: no display"):
        await realm.ask(realm.oauth(open_url=refuse))


async def test_an_object_may_open_pages_as_well(realm: Realm) -> None:
    class Browser:
        async def __call__(self, page: str) -> None:
            await realm.browse(page)

    assert await realm.ask(realm.oauth(open_url=Browser())) == 200


async def test_nobody_logs_in_to_say_goodbye(realm: Realm) -> None:
    assert await realm.ask(realm.oauth(), "DELETE") == 401
    assert realm.pages == []


async def test_who_logs_out_is_asked_again(realm: Realm) -> None:
    auth = realm.oauth()
    await auth.login(realm.url)
    before = auth.principal
    await auth.logout(realm.url)
    assert await auth.status(realm.url) is None
    assert auth.principal is None
    assert await realm.ask(auth) == 200
    assert len(realm.pages) == 2
    assert auth.principal not in (before, None)


async def test_a_host_may_have_its_own_way_to_open_pages_and_to_notice_the_return(realm: Realm) -> None:
    came: list[str] = []

    async def browse(page: str) -> None:
        async with httpx.AsyncClient() as browser:
            came.append((await browser.get(page)).headers["location"])

    auth = realm.oauth(redirect_uri="https://host.example/back", open_url=browse, receive=came.pop)
    assert await realm.ask(auth) == 200


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"redirect_uri": "http://host.example/back", "receive": str}, "neither https nor a port of this machine"),
        ({"redirect_uri": "https://host.example/back"}, "go together"),
        ({"client_secret": "s"}, "client_id=, which is missing"),
        ({"client_metadata_url": "http://host.example/me.json"}, "no https URL with a path"),
        ({"client_metadata_url": "https://host.example/"}, "no https URL with a path"),
    ],
)
@pytest.mark.requirement("auth.security.redirect-https-or-localhost", "auth.cimd.url-form")
def test_what_cannot_work_is_said_at_once(options: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        OAuth(**options)  # type: ignore[arg-type]
