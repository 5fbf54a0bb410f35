"""The transports page: its own transport runs as printed, and its names exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import mcport

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "transports.md").read_text(encoding="utf-8")


def test_the_transport_of_the_page_carries_a_conversation(tmp_path: Path) -> None:
    section = PAGE.split("## Your own\n", 1)[1].split("\n## ", 1)[0]
    code = "\n".join(line[4:] for line in section.splitlines() if not line.strip() or line.startswith("    "))
    (tmp_path / "own.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "own.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stderr, done.stdout) == ("", "42\n")


def test_every_function_that_the_page_names_is_public() -> None:
    named = set(re.findall(r"\b(serve_\w+|connect_\w+|StreamTransport|EndOfStream)\b", PAGE))
    assert named == {"serve_tcp", "serve_unix", "connect_tcp", "connect_unix", "StreamTransport", "EndOfStream"}
    assert named <= set(mcport.__all__)
