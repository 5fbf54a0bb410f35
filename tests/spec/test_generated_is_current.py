"""Generated files are what their sources make of them, and the generator says so when they are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schema.generate import __main__ as command
from schema.generate.everything import generated, stale
from schema.generate.read import SchemaFault, read_all
from schema.generate.rows import read_rows
from tests.spec.instances import ROOT


def test_every_generated_file_is_current() -> None:
    assert stale(ROOT) == []


def test_no_generated_folder_holds_a_file_that_nothing_makes() -> None:
    made, by_hand = set(generated(ROOT)), {"src/mcport/spec/wire/__init__.py", "src/mcport/spec/wire/exact.py"}
    folders = ("src/mcport/spec/types", "src/mcport/spec/wire", "tests/spec/samples")
    found = {str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).iterdir() if path.is_file()}
    assert found == {path for path in made if path.startswith(folders)} | by_hand


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the project's schemas and generated files."""
    shutil.copytree(ROOT / "schema", tmp_path / "schema", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for path in generated(ROOT):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def test_a_file_that_was_changed_or_is_missing_is_called_stale(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "src/mcport/spec/methods.py").unlink()
    with (project / "src/mcport/spec/types/tools.py").open("a") as file:
        file.write("# mine\n")
    monkeypatch.chdir(project)
    assert command.main(["--check"]) == 1
    told = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert {"src/mcport/spec/methods.py", "src/mcport/spec/types/tools.py"} <= set(told)
    command.main([])
    assert stale(project) == []


def test_unknown_arguments_are_told_how_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--chekc"]) == 2
    assert "usage: python -m schema.generate [--check]" in capsys.readouterr().err


def edited(project: Path, revision: str, old: str, new: str) -> Path:
    path = project / "schema" / f"{revision}.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return project / "schema"


def test_a_keyword_that_is_not_understood_stops_the_generator(project: Path) -> None:
    folder = edited(project, "2026-07-28", '"maxItems": 100', '"maxItems": 100, "uniqueItems": true')
    with pytest.raises(SchemaFault, match="uniqueItems is not understood"):
        read_all(folder, ())


def test_a_patch_whose_fault_has_gone_is_noticed(project: Path) -> None:
    folder = edited(project, "2025-06-18", '["string", "integer", "boolean"]', '["string", "number", "boolean"]')
    with pytest.raises(SchemaFault, match="the patch expects"):
        read_all(folder, read_rows(folder).patches)
