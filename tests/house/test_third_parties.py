"""Which third-party package may be imported where, so that nobody pays for what he does not use."""

import sys
from fnmatch import fnmatchcase

import pytest

from tests.house.sources import Import, Source, library
from tests.house.test_walls import LEVEL

# From this room upwards.
FROM = {
    "pydantic": "spec",
    "pydantic_core": "spec",
    "typing_extensions": "spec",
    "jiter": "core",
    "anyio": "session",
}

HTTP_CLIENT = ("mcport.transports.http.client.*", "mcport.auth.client*", "mcport.auth.fetch")
HTTP_SERVER = ("mcport.transports.http.server.*", "mcport.server.web")
LOOPS = (
    "mcport.session.*",
    "mcport.transports.*",
    "mcport.server.hosting",
    "mcport.cli.*",
    "mcport.testing.*",
    "mcport.sync.*",  # its loop is its own, in a thread that nobody else runs anything in
)

# In these modules and nowhere else. asyncio is here although it is no third party: loops are a matter of few.
ONLY = {
    "httpx": (
        *HTTP_CLIENT,
        "mcport.client.target",
        "mcport.client.http_target",
        "mcport.client.identity",
        "mcport.client.client",
    ),
    "httpx_sse": HTTP_CLIENT,
    "h11": ("mcport.transports.http.client.http1", "mcport.transports.http.server.by_h11"),
    "starlette": HTTP_SERVER,
    "uvicorn": (*HTTP_SERVER, "mcport.testing.running"),
    "sse_starlette": HTTP_SERVER,
    "asyncio": LOOPS,
    "trio": LOOPS,
    "outcome": ("mcport.session.*",),
    "uvloop": LOOPS,
    "cryptography": ("mcport.stores.seal", "mcport.auth.*"),
    # One room for both sides, pure as all of the core: it fetches nothing, and is loaded for the first schema only.
    "jsonschema_rs": ("mcport.core.json_schema.*",),
    # Signed tokens of both sides, an extra, loaded when one is to be read or made.
    "joserfc": ("mcport.auth.jose",),
    "opentelemetry": ("mcport.telemetry*",),
    "redis": ("mcport.stores.*",),
    "keyring": ("mcport.stores.token_keyring",),
}


# Of the standard library of a Python later than the oldest that we support.
LATER = frozenset({"annotationlib"})


def allowed(source: Source, imported: Import) -> bool:
    """Whether this file may import this package."""
    if imported.top == "mcport":
        return True
    if imported.top in ONLY:
        return any(fnmatchcase(source.module, pattern) for pattern in ONLY[imported.top])
    if imported.top in FROM:
        return LEVEL[source.room] >= LEVEL[FROM[imported.top]]
    return imported.top in sys.stdlib_module_names | LATER


def test_packages_are_imported_only_where_they_may() -> None:
    wrong = [
        f"{source.at(imported.line)}: imports {imported.module}"
        for source in library()
        for imported in source.imports
        if not allowed(source, imported)
    ]
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize(
    ("module", "package", "verdict"),
    [
        ("mcport.errors", "pydantic", False),
        ("mcport.spec.model", "pydantic", True),
        ("mcport.spec.model", "jiter", False),
        ("mcport.core.peer", "anyio", False),
        ("mcport.core.json_schema.checker", "jsonschema_rs", True),
        ("mcport.client.client", "jsonschema_rs", False),
        ("mcport.session.loop", "anyio", True),
        ("mcport.server.kernel", "starlette", False),
        ("mcport.transports.http.client.post", "httpx", True),
        ("mcport.transports.http.server.stateless", "httpx", False),
        ("mcport.client.client", "asyncio", False),
        ("mcport.server.kernel", "requests", False),
    ],
)
def test_the_table_says_what_the_design_says(module: str, package: str, verdict: bool) -> None:
    source = Source(library()[0].path, module, "")
    assert allowed(source, Import(package, 1)) is verdict
