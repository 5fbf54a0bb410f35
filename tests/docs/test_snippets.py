"""Every snippet of the documents is a file: pages show it word for word, and it prints what they say that it prints."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, SNIPPETS, Shown, all_shown, code_of, is_test, output_of, shown_on

ALL = all_shown()
FILES = sorted(path.relative_to(SNIPPETS).as_posix() for path in SNIPPETS.rglob("*.py"))


def test_every_snippet_is_on_exactly_one_page_and_every_page_shows_what_is_there() -> None:
    assert Counter(shown.name for shown in ALL) == Counter(FILES)


def test_pages_have_no_python_that_is_not_a_snippet() -> None:
    for page in DOCS.glob("*.md"):
        assert page.read_text(encoding="utf-8").count("```python") == len(shown_on(page)), page.name


@pytest.mark.parametrize("shown", ALL, ids=lambda shown: shown.name)
def test_a_page_shows_what_the_file_says_and_what_it_prints(shown: Shown) -> None:
    assert shown.code == code_of(shown.name), "python -m tests.docs.pages writes it anew"
    assert shown.output == output_of(shown.name)


@pytest.mark.parametrize("name", [name for name in FILES if is_test(name)])
def test_tests_on_the_pages_pass(name: str) -> None:
    file = SNIPPETS / name
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file.name]
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("page", [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for name, anchor in re.findall(r"\]\(([^)#\s]*\.md)?(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
        target = page.parent / name if name else page
        assert target.is_file(), name
        assert not anchor or anchor in anchors(target), f"{name}#{anchor}"


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
