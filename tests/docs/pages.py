"""The snippets of the documents: files that pages show word for word, with what they print.

    python -m tests.docs.pages      writes the text of each snippet, and what it prints, into the pages

On a page a comment names the file, below `docs/snippets`, and the blocks after it are its text and its output:

    <!-- tools/first.py -->
    ```python
    ...
    ```

    ```text
    ...
    ```

A file that has lines `# shown:` and `# :shown` is shown between them only.
"""

from __future__ import annotations

import io
import re
import runpy
import textwrap
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
SNIPPETS = DOCS / "snippets"
PLACE = re.compile(
    r"<!-- (?P<name>\S+\.py) -->\n```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.DOTALL
)
SERVES = re.compile(r"\.run\((\)|\s*\"http\")")
REGION = re.compile(r"^ *# shown:\n(.*?)^ *# :shown\n", re.S | re.M)


@dataclass(frozen=True)
class Shown:
    """A snippet on a page."""

    page: Path
    name: str
    code: str
    output: str


def shown_on(page: Path) -> list[Shown]:
    """Return the snippets of a page, in their order."""
    found = PLACE.finditer(page.read_text(encoding="utf-8"))
    return [Shown(page, each["name"], each["code"], each["output"] or "") for each in found]


def all_shown() -> list[Shown]:
    """Return the snippets of all pages."""
    return [shown for page in sorted(DOCS.glob("*.md")) for shown in shown_on(page)]


def code_of(name: str) -> str:
    """Return what a page shows of a file."""
    text = (SNIPPETS / name).read_text(encoding="utf-8")
    regions = REGION.findall(text)
    shown = [textwrap.dedent(region).strip("\n") for region in regions]
    return "\n\n\n".join(shown) + "\n" if shown else text


def is_test(name: str) -> bool:
    """Whether a file is one for pytest."""
    return Path(name).name.startswith("test_")


def output_of(name: str) -> str:
    """Run a file in its own directory, in this process, and return what it prints.

    One that serves is only loaded, and one of tests is left to pytest.
    """
    path = SNIPPETS / name
    if is_test(name):
        return ""
    printed = io.StringIO()
    serves = SERVES.search(path.read_text(encoding="utf-8")) is not None
    with chdir(path.parent), redirect_stdout(printed):
        runpy.run_path(path.name, run_name="served" if serves else "__main__")
    return printed.getvalue()


def refreshed(page: Path) -> str:
    """Return the text of a page with its snippets as they are now."""

    def place(found: re.Match[str]) -> str:
        name = found["name"]
        output = output_of(name)
        after = f"\n```text\n{output}```\n" if output else ""
        return f"<!-- {name} -->\n```python\n{code_of(name)}```\n{after}"

    return PLACE.sub(place, page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    import sys

    for name in sys.argv[1:] or [page.name for page in sorted(DOCS.glob("*.md"))]:
        text = refreshed(DOCS / name)
        (DOCS / name).write_text(text, encoding="utf-8")
        print(name, len(text.splitlines()), "lines", file=sys.stderr)
