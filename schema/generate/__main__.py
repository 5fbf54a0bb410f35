"""`python -m schema.generate [--check]`: writes everything that follows from the schemas, or says what is stale.

Run in the project's folder. Descriptions are merged into the schema files first, then the generated files are written.
With `--check` nothing is written; there is one line for each stale file and each complaint, and the exit code is 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

from schema.generate import prose
from schema.generate.everything import SCHEMA, generated, stale


def main(arguments: list[str]) -> int:
    """Do what the `arguments` say for the project in the current folder, and return the exit code."""
    root = Path.cwd()
    if arguments not in ([], ["--check"]):
        print("usage: python -m schema.generate [--check]", file=sys.stderr)
        return 2
    if arguments:
        faults = [
            *prose.check(root / SCHEMA),
            *(f"{path}: stale; run python -m schema.generate" for path in stale(root)),
        ]
    else:
        faults = prose.apply(root / SCHEMA)
        _write(root)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def _write(root: Path) -> None:
    for path in stale(root):
        print(path)
    for path, text in generated(root).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
