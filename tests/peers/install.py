"""Install the peers: `python tests/peers/install.py [official] [everything] [provider] [conformance]`.

Prints one line for each. What is there in the right version stays as it is. An install that fails ends this with its
reason and exit code 1.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests import environment
from tests.peers import places

LIMIT = 300  # seconds for one install


class InstallFailed(RuntimeError):
    """A peer could not be installed; the message is the reason in one line, and what the installer said."""


def run(command: Sequence[str]) -> str:
    """Run a command and return what it printed; raise InstallFailed with its output if it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
        )
    except subprocess.TimeoutExpired:
        raise InstallFailed(f"not done after {LIMIT} s: {' '.join(command)}") from None
    if done.returncode:
        raise InstallFailed(f"exit code {done.returncode} of: {' '.join(command)}\n{done.stdout.strip()[-2000:]}")
    return done.stdout.strip()


def installed(python: Path, package: str) -> str | None:
    """The version of a package in an environment, or None."""
    if not python.exists():
        return None
    code = f"import importlib.metadata as m; print(next((d.version for d in m.distributions(name={package!r})), ''))"
    return run([str(python), "-c", code]) or None


def have_package(home: Path, package: str, version: str) -> str:
    """Have an environment with a package of PyPI in exactly this version; return what was done."""
    python = environment.python_of(home)
    if installed(python, package) == version:
        return "was there"
    if not python.exists():
        environment.create(home)
    try:
        environment.pip(home, "install", f"{package}=={version}")
    except subprocess.CalledProcessError as error:
        raise InstallFailed(f"pip install {package}=={version} ended with exit code {error.returncode}") from None
    return "installed"


def official() -> str:
    """The official Python SDK."""
    package, version = places.OFFICIAL
    done = have_package(places.OFFICIAL_HOME, package, version)
    have_package(places.OFFICIAL_HOME, *places.PARSER)
    if sys.platform != "win32":  # where it does not exist
        have_package(places.OFFICIAL_HOME, *places.LOOP)
    return f"{package} {version} {done} in {places.OFFICIAL_HOME.relative_to(places.ROOT)}"


def everything() -> str:
    """The reference server of the TypeScript SDK, and Node if this machine has none."""
    return _have_module(places.EVERYTHING)


def provider() -> str:
    """An identity provider, and Node if that of this machine is too old for it."""
    return _have_module(places.OIDC_PROVIDER)


def conformance() -> str:
    """The official conformance suite, and Node if that of this machine is too old for it."""
    return _have_module(places.CONFORMANCE)


def _have_module(module: tuple[str, str]) -> str:
    """Have a package of npm in exactly this version, and a Node that can run it; return what was done."""
    package, version = module
    home = places.NPM_HOMES[module]
    used = have_node(places.OLDEST_NODE[module])
    done = "was there"
    if places.npm_version(module) != version:
        command = places.npm()
        if command is None:
            raise InstallFailed("there is a node, but no npm")
        quietly = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        run([*command, "install", "--prefix", str(home), *quietly, f"{package}@{version}"])
        done = "installed"
    return f"{package} {version} {done} in {home.relative_to(places.ROOT)}, {used}"


def have_node(oldest: int) -> str:
    """Have a Node that is new enough, from the machine or else from PyPI; return which."""
    if places.npm() is None or _too_old(places.node(), oldest):
        have_package(places.NODE_HOME, *places.NODE)
    found = places.node()
    if found is None or _too_old(found, oldest):
        raise InstallFailed(f"{places.NODE[0]} {places.NODE[1]} brought no node {oldest} or later")
    return f"node {_version(found)}"


def _too_old(node: Path | None, oldest: int) -> bool:
    return node is None or int(_version(node).lstrip("v").split(".")[0]) < oldest


def _version(node: Path) -> str:
    return run([str(node), "--version"])


PEERS: dict[str, Callable[[], str]] = {
    "official": official,
    "everything": everything,
    "provider": provider,
    "conformance": conformance,
}


def main(names: Sequence[str]) -> int:
    """Install the named peers, or all; the exit code says whether all went well."""
    if unknown := set(names) - set(PEERS):
        print(f"unknown peer {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
        return 2
    failed = False
    for name in names or PEERS:
        try:
            line = f"{name:<12} ok      {PEERS[name]()}"
        except (InstallFailed, OSError, subprocess.SubprocessError) as error:
            failed, line = True, f"{name:<12} FAILED  {error}"
        print(line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
