"""The one command that checks the project: `python tests/check.py [STEP ...]`.

Each step is a line with its time; what a step printed is shown when it fails, or always with `--show`.

    python3 tests/check.py --setup tests      the tests, in a virtual environment made on the spot
    python3 tests/check.py --setup            what to run while working: all steps but the slow ones
    python3 tests/check.py --setup all        what `.ci/run` runs
    python tests/check.py types lint          single steps, with the tools of the Python that runs this

Needs nothing but the standard library. The last line counts tests as pytest does.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 1200.0  # seconds for one step: ends a hang, and is no budget
PYTEST = ("-m", "pytest", "--color=no", "--durations=10", "--durations-min=1")


@dataclass(frozen=True)
class Step:
    """One thing to check: commands for a Python of the environment, and what they need."""

    name: str
    says: str
    commands: tuple[tuple[str, ...], ...]
    extra: str = "check"
    slow: bool = False
    needs: str = "pyproject.toml"

    @property
    def tests(self) -> bool:
        """Whether this step runs pytest, so that its tests count."""
        return self.commands[-1][:2] == PYTEST[:2]


STEPS = (
    Step("lint", "ruff finds nothing", (("-m", "ruff", "check", "-q", "--output-format=concise", "."),)),
    Step(
        "format",
        "every file is laid out by ruff",
        (("-m", "ruff", "format", "--check", "-q", "--output-format=concise", "."),),
    ),
    Step("types", "mypy --strict finds nothing", (("-m", "mypy", "--no-error-summary"),)),
    Step(
        "generated",
        "the generated files are those that the schemas give",
        (("-m", "schema.generate", "--check"),),
        extra="test",
        needs="schema/generate/__main__.py",
    ),
    Step("tests", "the tests that need pip alone", (PYTEST,), extra="test"),
    Step("ledger", "how much of the specification tests show", (("-m", "tests.ledger", "--brief"),), extra="test"),
    Step("slow", "the tests that build environments", ((*PYTEST, "--slow", "-m", "slow"),), extra="test", slow=True),
    Step(
        "peers",
        "real peers, installed and none skipped",
        (
            ("tests/peers/install.py", "official", "everything", "provider"),
            (*PYTEST, "--slow", "--require-peers", "tests/peers"),
        ),
        extra="test",
        slow=True,
        needs="tests/peers/install.py",
    ),
    Step(
        "suite",
        "the official conformance suite complains of nothing, not even by a warning",
        (("tests/peers/install.py", "conformance"), ("-m", "tests.conformance")),
        extra="test",
        slow=True,
        needs="tests/conformance/__main__.py",
    ),
)


@dataclass
class Run:
    """What came of the steps so far."""

    show: bool
    outcomes: dict[str, str] = field(default_factory=dict)
    broken: int = 0
    done: int = 0
    began: float = field(default_factory=time.monotonic)

    def step(self, step: Step, python: str) -> None:
        """Run one step and print its line, and its output if it is wanted."""
        began = time.monotonic()
        if not (ROOT / step.needs).exists():
            say(f"{step.name:<10} --              {step.needs} is not there")
            return
        if self.show:
            say(f"{step.name}: {step.says}")
        good, output, report = self._commands(step, python)
        self.outcomes.update(report)
        self.done += 1
        self.broken += not good and "failed" not in report.values()
        if not good and not self.show:
            say(output.rstrip())
        detail = counts(Counter(report.values())) if step.tests else last_line(output) if step.name == "ledger" else ""
        say(f"{step.name:<10} {'ok' if good else 'FAILED':<6} {time.monotonic() - began:6.1f} s  {detail}".rstrip())

    def _commands(self, step: Step, python: str) -> tuple[bool, str, dict[str, str]]:
        """Run the commands of a step until one fails: whether all went well, their output, the tests' outcomes."""
        output, good = "", True
        with tempfile.TemporaryDirectory() as directory:
            report = Path(directory, "report.xml")
            for command in step.commands:
                more = [f"--junitxml={report}"] if command[:2] == PYTEST[:2] else []
                good, text = self._command([python, *command, *more])
                output += text
                if not good:
                    break
            return good, output, dict(outcomes(report)) if report.exists() else {}

    def _command(self, command: Sequence[str]) -> tuple[bool, str]:
        """Run one command; its output goes to a file, so that no child that lives on can hold a pipe."""
        with tempfile.TemporaryFile() as file:
            target = None if self.show else file
            try:
                code = subprocess.run(
                    command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=target, stderr=subprocess.STDOUT, timeout=LIMIT
                ).returncode
                late = ""
            except subprocess.TimeoutExpired:
                code, late = 1, f"took longer than {LIMIT:.0f} s and was ended"
                say(late)
            file.seek(0)
            return code == 0, file.read().decode("utf-8", "replace") + late

    def close(self) -> int:
        """Print the last line, as pytest words it, and return the exit code."""
        kinds = Counter(self.outcomes.values())
        kinds["error"] += self.broken
        seconds = time.monotonic() - self.began
        text = counts(kinds) or f"{self.done} check{'s' * (self.done != 1)} passed"
        say(f" {text} in {seconds:.2f}s ".center(80, "="))
        return 1 if kinds["failed"] or kinds["error"] else 0


def say(line: str) -> None:
    """Print a line at once, so that progress is seen where output is a file."""
    print(line, flush=True)


def last_line(output: str) -> str:
    return (output.strip().splitlines() or [""])[-1]


def counts(kinds: Counter[str]) -> str:
    """`2 failed, 310 passed, 4 skipped`, without what there is none of."""
    errors = "errors" if kinds["error"] > 1 else "error"
    words = {"failed": "failed", "passed": "passed", "skipped": "skipped", "error": errors}
    return ", ".join(f"{kinds[kind]} {word}" for kind, word in words.items() if kinds[kind])


def outcomes(report: Path) -> Iterator[tuple[str, str]]:
    """Each test of a pytest run with how it ended, out of its XML report."""
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        name = f"{case.get('classname')}.{case.get('name')}"
        yield name, {"failure": "failed", "error": "failed", "skipped": "skipped"}.get(min(kinds, default=""), "passed")


def chosen(names: Sequence[str]) -> list[Step]:
    """The steps that were asked for: by name, or by default those that are not slow.

    With `all` the tests come first, so that they meet an environment with nothing but what they ask for.
    """
    if "all" in names:
        return sorted(STEPS, key=lambda step: step.name != "tests")
    return [step for step in STEPS if (step.name in names if names else not step.slow)]


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    known = [*(step.name for step in STEPS), "all"]
    lines = "\n".join(f"  {step.name:<10} {step.says}{' (slow)' if step.slow else ''}" for step in STEPS)
    made = argparse.ArgumentParser(
        description="Check the project: all steps that are not slow, or those that are named.",
        epilog=f"steps:\n{lines}\n  {'all':<10} every step, the slow ones too",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("steps", nargs="*", metavar="STEP", choices=[*known, []], help="a step, or all")
    made.add_argument("--setup", action="store_true", help="use a virtual environment of its own, made if need be")
    made.add_argument("--environment", default=".venv", metavar="DIR", help="where that is (default: %(default)s)")
    made.add_argument("--fresh", action="store_true", help="make that environment anew")
    made.add_argument("--show", action="store_true", help="show what every step prints, not only those that fail")
    return made


def python_for(options: argparse.Namespace, step: Step) -> str:
    """The Python to run a step with: one of our own environment, or the one that runs this."""
    if not options.setup:
        if importlib.util.find_spec("pytest") is None:
            sys.exit("pytest is not installed for this Python; with --setup this command makes its own environment")
        return sys.executable
    sys.path[0] = str(ROOT)
    from tests.environment import ensure

    began, fresh, options.fresh = time.monotonic(), options.fresh, False
    python = ensure(ROOT / options.environment, [step.extra], fresh)
    if time.monotonic() - began > 1:
        say(f"{'setup':<10} ok     {time.monotonic() - began:6.1f} s  {options.environment} for {step.extra}")
    return str(python)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the steps; the exit code is 1 when one fails."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this line is for those who have an older one
        sys.exit("mcport needs Python 3.11 or later, and this is {}.{}".format(*sys.version_info))
    options = parser().parse_args(arguments)
    steps = chosen(options.steps)
    os.environ.setdefault("PYTHONUTF8", "1")
    run = Run(options.show or len(steps) == 1)
    for step in steps:
        run.step(step, python_for(options, step))
    return run.close()


if __name__ == "__main__":
    sys.exit(main())
