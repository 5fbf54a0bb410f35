"""Discovery: where documents are looked for, in which order, and which of them are believed."""

import pytest

from mcport.auth.metadata import resource_metadata_urls, server_metadata_urls
from mcport.auth.resource import canonical, identifies
from mcport.auth.steps import Answer, NoOutcome
from mcport.errors import AuthFailed

from .scripted import ISSUER, RESOURCE_METADATA, SERVER, SERVER_METADATA, World, resource_metadata, server_metadata

OPENID = f"{ISSUER}/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp"),
        ("https://mcp.example.com", "https://mcp.example.com"),
        ("https://mcp.example.com/", "https://mcp.example.com"),
        ("HTTPS://MCP.Example.COM/Mcp", "https://mcp.example.com/Mcp"),
        ("https://mcp.example.com:8443", "https://mcp.example.com:8443"),
        ("https://mcp.example.com:443/a/", "https://mcp.example.com/a/"),
        ("https://mcp.example.com/mcp?key=secret#part", "https://mcp.example.com/mcp"),
        ("http://[::1]:80/mcp", "http://[::1]/mcp"),
    ],
)
@pytest.mark.requirement(
    "auth.resource.canonical-uri",
    "auth.resource.most-specific",
    "auth.resource.accept-uppercase",
    "auth.resource.no-trailing-slash",
)
def test_a_server_has_one_name_as_a_resource(url: str, uri: str) -> None:
    assert canonical(url) == uri


@pytest.mark.parametrize(
    ("resource", "good"),
    [
        ("https://mcp.example/a/mcp", True),
        ("https://MCP.example/a/mcp", True),
        ("https://mcp.example:443/a/mcp", True),
        ("https://mcp.example/a/", True),
        ("https://mcp.example/a", True),
        ("https://mcp.example/", True),
        ("https://mcp.example", True),
        ("https://mcp.example/a/mcp/more", False),
        ("https://mcp.example/a/mc", False),
        ("https://mcp.example/b", False),
        ("http://mcp.example/a/mcp", False),
        ("https://mcp.example:8443/a/mcp", False),
        ("https://mcp.example.evil.example/a/mcp", False),
        ("https://evil.example/a/mcp", False),
        ("https://mcp.example/a/mcp#x", False),
        ("https://mcp.example/a/mcp?x", False),
    ],
)
def test_a_document_is_of_a_server_if_it_names_it_or_what_it_stands_in(resource: str, good: bool) -> None:
    assert identifies(resource, "https://mcp.example/a/mcp") is good


@pytest.mark.requirement("auth.prm.client-well-known-order", "auth.prm.client-both-mechanisms")
def test_the_metadata_of_a_server_is_looked_for_where_it_says_then_at_its_path_then_at_the_root() -> None:
    root, path = "https://a.example/.well-known/oauth-protected-resource", "/x/mcp"
    assert resource_metadata_urls(f"https://a.example{path}", None) == [root + path, root]
    assert resource_metadata_urls("https://a.example", None) == [root]
    assert resource_metadata_urls(f"https://a.example{path}", "https://b.example/m") == [
        "https://b.example/m",
        root + path,
        root,
    ]


@pytest.mark.parametrize(
    ("issuer", "urls"),
    [
        (
            "https://as.example/tenant",
            [
                "https://as.example/.well-known/oauth-authorization-server/tenant",
                "https://as.example/.well-known/openid-configuration/tenant",
                "https://as.example/tenant/.well-known/openid-configuration",
            ],
        ),
        ("https://as.example", [SERVER_METADATA, OPENID]),
        ("https://as.example/", [SERVER_METADATA, OPENID]),
    ],
)
@pytest.mark.requirement(
    "auth.discovery.client-both",
    "auth.discovery.multiple-endpoints",
    "auth.discovery.order-with-path",
    "auth.discovery.order-without-path",
)
def test_the_metadata_of_an_issuer_is_looked_for_in_the_order_of_the_specification(
    issuer: str, urls: list[str]
) -> None:
    assert server_metadata_urls(issuer) == urls


@pytest.mark.requirement("auth.discovery.client-both", "auth.discovery.multiple-endpoints")
@pytest.mark.requirement("auth.discovery.rfc8414", revisions=["2025-06-18"])
def test_each_place_is_asked_until_there_is_a_document_and_no_further() -> None:
    world = World()
    world.documents = {
        "https://mcp.example/.well-known/oauth-protected-resource": resource_metadata(),
        OPENID: server_metadata(),
        SERVER_METADATA: Answer(200, {}, b"<html>hello</html>"),
    }
    world.log_in()
    root = "https://mcp.example/.well-known/oauth-protected-resource"
    assert world.gets == [RESOURCE_METADATA, root, SERVER_METADATA, OPENID]


@pytest.mark.parametrize("broken", [Answer(503), Answer(429), NoOutcome("no route", passing=True)])
def test_a_place_that_is_broken_is_not_taken_for_one_without_a_document(broken: Answer | NoOutcome) -> None:
    for url in (RESOURCE_METADATA, SERVER_METADATA):
        world = World()
        world.documents[url] = broken
        with pytest.raises(AuthFailed) as caught:
            world.log_in(world.flow(legacy=True))
        assert caught.value.passing
        assert world.gets[-1] == url


@pytest.mark.parametrize(
    ("document", "parameter"),
    [
        ({"resource": "https://evil.example/mcp"}, "resource"),
        ({"resource": 7}, "resource"),
        ({"resource": None}, "resource"),
        ({"authorization_servers": []}, "authorization_servers"),
        ({"authorization_servers": "https://as.example"}, "authorization_servers"),
        ({"authorization_servers": ["http://as.example"]}, "authorization_servers"),
        ({"authorization_servers": ["https://as.example?x"]}, "authorization_servers"),
        ({"authorization_servers": ["https://user@as.example"]}, "authorization_servers"),
        ({"authorization_servers": ["https://as.example\r\nHost: b"]}, "authorization_servers"),
        ({"authorization_servers": ["file:///etc/passwd"]}, "authorization_servers"),
        ({"authorization_servers": ["http://127.0.0.1:1"]}, "authorization_servers"),
        ({"scopes_supported": "a b"}, "scopes_supported"),
    ],
)
def test_a_document_that_is_not_right_leads_nowhere(document: dict[str, object], parameter: str) -> None:
    world = World()
    world.documents[RESOURCE_METADATA] = resource_metadata(**document)
    with pytest.raises(AuthFailed) as caught:
        world.log_in()
    assert caught.value.parameter == parameter
    assert world.gets == [RESOURCE_METADATA]


@pytest.mark.parametrize(
    "issuer",
    ["https://as.example/", "https://AS.example", "https://as.example:443", "https://honest.example", None, 1],
)
@pytest.mark.requirement(
    "auth.discovery.metadata-validated",
    "auth.discovery.issuer-identical",
    "auth.discovery.issuer-mismatch-refused",
)
def test_metadata_of_another_issuer_is_thrown_away(issuer: object) -> None:
    world = World()
    world.documents[SERVER_METADATA] = {**server_metadata(), "issuer": issuer}
    with pytest.raises(AuthFailed, match="issuer:"):
        world.log_in()
    assert world.gets == [RESOURCE_METADATA, SERVER_METADATA]
    assert world.registered == world.visited == []


@pytest.mark.parametrize("place", [SERVER_METADATA, OPENID])
@pytest.mark.parametrize("methods", [None, [], ["plain"]])
@pytest.mark.requirement(
    "auth.pkce.support-verified", "auth.pkce.refuse-oauth-metadata", "auth.pkce.refuse-oidc-metadata"
)
def test_nobody_is_led_to_a_server_that_does_not_protect_codes(place: str, methods: list[str] | None) -> None:
    world = World()
    del world.documents[SERVER_METADATA]
    world.documents[place] = server_metadata(code_challenge_methods_supported=methods)
    with pytest.raises(AuthFailed, match="code_challenge_methods_supported"):
        world.log_in()
    assert world.registered == world.visited == []


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "registration_endpoint"])
@pytest.mark.parametrize(
    "url", ["http://as.example/x", "javascript:alert(1)", "https://as.example/x#y", "-oProxy=x", "https://a b/", 7]
)
@pytest.mark.requirement("auth.security.as-https")
def test_no_endpoint_is_used_that_is_not_https(name: str, url: object) -> None:
    world = World()
    world.documents[SERVER_METADATA] = server_metadata(ISSUER, **{name: url})
    with pytest.raises(AuthFailed) as caught:
        world.log_in()
    assert caught.value.parameter == name
    assert world.visited == world.forms == []


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint"])
def test_an_endpoint_that_is_missing_is_named(name: str) -> None:
    world = World()
    world.documents[SERVER_METADATA] = server_metadata(ISSUER, **{name: None})
    with pytest.raises(AuthFailed, match=f"{name}: the metadata of https://as.example does not name one"):
        world.log_in()


def test_of_several_authorization_servers_the_one_is_asked_that_knows_the_client() -> None:
    world, other = World(), "https://other.example"
    flow = world.flow()
    tokens = world.log_in(flow)
    world.documents[RESOURCE_METADATA] = resource_metadata(authorization_servers=[other, ISSUER])
    assert world.log_in(flow, used=tokens).issuer == ISSUER


def test_a_resource_that_the_metadata_names_is_what_tokens_are_asked_for() -> None:
    world = World()
    world.documents[RESOURCE_METADATA] = resource_metadata(resource="https://mcp.example")
    world.log_in()
    assert world.visited[0]["resource"] == world.forms[0]["resource"] == "https://mcp.example"


# ---- servers of the first revision with authorization

ORIGIN = "https://mcp.example"


def older() -> World:
    world = World()
    world.documents = {}
    world.serve(ORIGIN)
    return world


@pytest.mark.requirement(
    "auth.v1.base-url",
    "auth.v1.client-default-endpoints",
    "auth.v1.metadata-before-defaults",
    revisions=["2025-03-26"],
)
def test_a_server_without_metadata_is_refused_unless_older_ones_are_wanted() -> None:
    world = older()
    with pytest.raises(AuthFailed, match="publishes no metadata about it"):
        world.log_in()
    assert world.log_in(world.flow(legacy=True)).issuer == ORIGIN
    assert world.visited[0]["resource"] == SERVER
    assert world.gets[-1] == f"{ORIGIN}/.well-known/oauth-authorization-server"
    assert [ask.url for ask in world.asked if ask.method == "POST"] == [f"{ORIGIN}/register", f"{ORIGIN}/token"]


@pytest.mark.requirement(
    "auth.v1.metadata-client",
    "auth.v1.metadata-at-root",
    "auth.v1.version-header",
    revisions=["2025-03-26"],
)
def test_an_older_server_may_have_metadata_at_its_root() -> None:
    world = older()
    place = f"{ORIGIN}/.well-known/oauth-authorization-server"
    world.documents[place] = server_metadata(ORIGIN, code_challenge_methods_supported=None)
    flow = world.flow()
    flow.older = True
    assert world.log_in(flow).issuer == ORIGIN
    assert world.asked[-3].headers["mcp-protocol-version"] == "2025-03-26"
