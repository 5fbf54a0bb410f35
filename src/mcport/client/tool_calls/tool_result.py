"""The result of a tool as a client gets it: what came over the wire, and the value that it stands for.

Imported when the first result comes, with the facade. Below: the facade, `outputs`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Generic, Self, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from mcport.core.jsonrpc import parse_json
from mcport.core.typed_dicts import readable
from mcport.spec.model import first_fault
from mcport.spec.types.content import TextContent
from mcport.spec.types.tools import CallToolResult

from .outputs import WRAPPER

DataT = TypeVar("DataT")


class ToolResult(CallToolResult, Generic[DataT]):
    """What a tool gave back. `content`, `structured_content` and `is_error` are as on the wire."""

    __slots__ = ("_data",)

    is_error: bool | None = False
    """Whether the tool ran and failed: what says nothing did not (server/tools)."""

    @property
    def data(self) -> DataT:
        """The value that the tool gave back: of the type that the call named with `as_`, else as JSON.

        Without `as_` it is the structured content. In revisions before 2026-07-28 a value that is no object comes
        wrapped in one; it is taken out where the tool was listed with exactly that output schema, and where it was not
        listed, but the text says the value alone. Some servers wrap in 2026-07-28 as well: there both must be so. Where
        no structured content came, as from tools that return plain text and from all tools before 2025-06-18, it is the
        text, if that is one block and all there is; else, and where the tool failed, it is None.
        """
        try:
            found: DataT = self._data  # type: ignore[attr-defined]  # a slot, which no checker sees in a model
        except AttributeError:
            found = self.structured_content if "structured_content" in self.model_fields_set else self._only_text()
        return found

    def text(self) -> str:
        """Return the texts among the content, a line each."""
        return "\n".join(each.text for each in self.content if isinstance(each, TextContent))

    def unwrap(self, *, text_must_agree: bool = False) -> None:
        """Take the value out of the object that it is wrapped in, if it is one of exactly that form.

        With `text_must_agree` the text decides: it says the structured content once more (server/tools "Structured
        Content"), and that of a wrapped value is the value's alone.
        """
        found = self.structured_content
        if not isinstance(found, dict) or found.keys() != {WRAPPER}:
            return
        if not text_must_agree or self._says(found[WRAPPER]):
            self._become(found[WRAPPER])

    def read_as(self, wanted: Any, *, may_be_wrapped: bool) -> None:
        """Make the value one of the type that is wanted: a class, `list[int]`, or whatever pydantic reads.

        Where no structured content came, as from servers of the first two revisions, the text is read: as it is if
        text is wanted, as JSON otherwise. With `may_be_wrapped` a value that fits only without its wrapper is taken
        out of it. Raises ValueError with one line for one that does not fit.
        """
        reader = reader_of(wanted)
        if "structured_content" not in self.model_fields_set:
            self._become(_read_text(reader, self.text()))
            return
        candidates: list[Any] = [self.data]
        if may_be_wrapped and isinstance(self.data, dict) and self.data.keys() == {WRAPPER}:
            candidates.append(self.data[WRAPPER])
        faults: list[str] = []
        for value in candidates:
            try:
                self._become(reader.validate_json(to_json(value)))
                return
            except ValidationError as error:
                faults.append(first_fault(error))
        raise ValueError(faults[0])

    def _only_text(self) -> Any:
        match self.content:
            case [TextContent(text=text)] if not self.is_error:
                return text
        return None

    def _says(self, value: object) -> bool:
        """Whether the content is one text, and that is the value."""
        match self.content:
            case [TextContent(text=text)] if isinstance(value, str):
                return text == value
            case [TextContent(text=text)]:
                try:
                    said, written = text.encode(), to_json(value)
                    return said == written or to_json(parse_json(said)) == written
                except ValueError:
                    return False
        return False

    def _become(self, data: object) -> None:
        object.__setattr__(self, "_data", data)

    def __copy__(self) -> Self:
        return self._like(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self._like(super().__deepcopy__(memo))

    def _like(self, copied: Self) -> Self:
        if hasattr(self, "_data"):
            copied._become(self._data)
        return copied


def _read_text(reader: TypeAdapter[Any], text: str) -> Any:
    try:
        return reader.validate_python(text, strict=True)
    except ValidationError:
        pass
    try:
        return reader.validate_json(text)
    except ValidationError as error:
        raise ValueError(first_fault(error)) from None


def reader_of(wanted: Any) -> TypeAdapter[Any]:
    """Return what reads a type, made once for each. Raises what pydantic raises for one that it cannot read."""
    try:
        return _kept_reader(wanted)
    except TypeError:  # not hashable, such as an annotation with metadata of its own
        return _reader(wanted)


def _reader(wanted: Any) -> TypeAdapter[Any]:
    form: Any = readable(wanted)
    return TypeAdapter(form)


_kept_reader = lru_cache(maxsize=256)(_reader)
