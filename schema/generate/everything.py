"""Everything that is generated, from the schemas to the text of each file.

Knows the order of the steps: read, align, merge, write. Nothing is written to disk here. Below it are all the steps.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from schema.generate.align import align
from schema.generate.merge import Facade, merge
from schema.generate.model import Schema
from schema.generate.read import read_all
from schema.generate.rows import Rows, read_rows
from schema.generate.write_calls import read_call_rows, write_calls
from schema.generate.write_deltas import write_deltas
from schema.generate.write_methods import write_methods
from schema.generate.write_samples import write_samples
from schema.generate.write_types import write_types
from schema.generate.write_wire import write_wire

SCHEMA = "schema"


@dataclass(frozen=True, slots=True)
class Sources:
    """What everything is generated from: the rows, the schemas oldest first, and the facade that follows from them."""

    rows: Rows
    schemas: tuple[Schema, ...]
    facade: Facade


def read_sources(root: Path) -> Sources:
    """Return the sources of the project at `root`."""
    rows = read_rows(root / SCHEMA)
    schemas = read_all(root / SCHEMA, rows.patches)
    return Sources(rows, schemas, merge(align(schemas, rows), rows))


def generated(root: Path) -> dict[str, str]:
    """Return path -> text of every generated file of the project at `root`; paths are relative to it."""
    sources = read_sources(root)
    digests = _digests(root, sources.schemas)
    rows, schemas, facade = sources.rows, sources.schemas, sources.facade
    return {
        **write_types(facade, rows, digests),
        **write_methods(schemas, facade, rows, digests),
        **write_calls(schemas, facade, rows, read_call_rows(root), digests),
        **write_deltas(facade, rows, digests),
        **write_wire(schemas, rows, digests),
        **write_samples(schemas),
    }


def stale(root: Path) -> list[str]:
    """Return the paths of generated files that are missing or not what they should be."""
    return [path for path, text in generated(root).items() if _text(root / path) != text]


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _digests(root: Path, schemas: tuple[Schema, ...]) -> dict[str, str]:
    """Return file -> sha256 for the schemas and the rows."""
    rows = sorted((root / SCHEMA).glob("*.toml"))
    return {
        **{f"{SCHEMA}/{schema.revision}.json": schema.digest for schema in schemas},
        **{f"{SCHEMA}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in rows},
    }
