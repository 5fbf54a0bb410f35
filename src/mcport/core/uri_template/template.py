"""One URI template: parsed once, expanded and matched as often as one likes.

What it does is done by its neighbours: `grammar`, `expansion`, `matching`.
"""

from __future__ import annotations

from collections.abc import Mapping

from .expansion import Value, expand
from .grammar import Expression, Part, TemplateError, parse
from .matching import URI_BYTES, Matcher


class UriTemplate:
    """A URI template as of RFC 6570.

    Attributes:
        text: how it was written.
        variables: the names of its variables, in order of appearance, each once.
    """

    __slots__ = ("_matcher", "_parts", "text", "variables")

    def __init__(self, text: str, parts: tuple[Part, ...]) -> None:
        """Use `parse`."""
        self.text = text
        self.variables = tuple(
            dict.fromkeys(
                variable.name for part in parts if isinstance(part, Expression) for variable in part.variables
            )
        )
        self._parts = parts
        self._matcher: Matcher | None = None

    @classmethod
    def parse(cls, text: str, *, matchable: bool = False) -> UriTemplate:
        """Read a template.

        Args:
            text: the template.
            matchable: refuse it now if `match` would refuse it later.

        Raises:
            TemplateError: it is no template, too long, has too many variables, or cannot be matched (see `matching`).
        """
        template = cls(text, parse(text))
        if matchable:
            template._matching()
        return template

    def expand(self, variables: Mapping[str, Value]) -> str:
        """Return the URI for these values; a variable without one is left out as the RFC says.

        Raises:
            ValueError: a prefix was asked of a sequence or mapping, or a text holds half of a surrogate pair.
        """
        return expand(self._parts, variables)

    def match(self, uri: str, *, limit: int = URI_BYTES) -> dict[str, str] | None:
        """Return the values that make this URI, each decoded once, or None if none do.

        Query variables that the URI leaves out are left out here. The rules stand at the top of `matching`.

        Raises:
            UriError: the URI has more than `limit` bytes.
            TemplateError: the template cannot be matched; `parse(..., matchable=True)` says so earlier.
        """
        return self._matching().match(uri, limit)

    def _matching(self) -> Matcher:
        if self._matcher is None:
            try:
                self._matcher = Matcher(self._parts)
            except TemplateError as error:
                raise TemplateError(f"URI template {self.text!r} cannot be matched: {error}") from None
        return self._matcher

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"UriTemplate.parse({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, UriTemplate) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)
