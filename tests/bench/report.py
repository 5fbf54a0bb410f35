"""The table: medians of the rounds, CPU per request, the ratio to the official SDK, and what was asked.

It knows samples and figures; it refuses to know how they were measured.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.contestants import FLOOR, OURS, THEIRS
from tests.bench.figures import Figure, Sample, Samples


@dataclass(frozen=True, slots=True)
class Cell:
    """One contestant's medians in one figure, in the figure's unit; CPU in microseconds per request."""

    value: float
    cpu: float | None
    driver_bound: bool

    @classmethod
    def of(cls, figure: Figure, samples: Sequence[Sample]) -> "Cell":
        cpus = [sample.cpu * 1e6 for sample in samples if sample.cpu is not None]
        bound = sum(sample.driver_bound for sample in samples) * 2 > len(samples)
        value = statistics.median(sample.value for sample in samples) * figure.scale
        return cls(value, statistics.median(cpus) if cpus else None, bound)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure with everybody's cells, and our worst revision against the official SDK and the ask."""

    figure: Figure
    cells: Mapping[str, Cell]

    @classmethod
    def of(cls, figure: Figure, samples: Samples) -> "Row":
        return cls(figure, {title: Cell.of(figure, taken) for title, taken in samples.items()})

    @property
    def ours(self) -> float | None:
        values = [cell.value for title, cell in self.cells.items() if title.startswith(OURS)]
        worst = min if self.figure.more_is_better else max
        return worst(values) if values else None

    @property
    def ratio(self) -> float | None:
        """How many times better we are than the official SDK, in our worst revision."""
        theirs, ours = self.cells.get(THEIRS), self.ours
        if theirs is None or ours is None:
            return None
        return ours / theirs.value if self.figure.more_is_better else theirs.value / ours

    @property
    def cpu_ratio(self) -> float | None:
        """How many times less CPU a request costs than on the official SDK, in our worst revision."""
        costs = {title: cell.cpu for title, cell in self.cells.items() if cell.cpu}
        ours = [cost for title, cost in costs.items() if title.startswith(OURS)]
        return costs[THEIRS] / max(ours) if ours and THEIRS in costs else None

    @property
    def met(self) -> bool | None:
        if self.figure.absolute:
            return None if self.ours is None else self.ours <= self.figure.ask
        return None if self.ratio is None else self.ratio >= _times(self.figure, self.figure.ask)


def _times(figure: Figure, factor: float) -> float:
    return factor if figure.more_is_better else 1 / factor


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _wish(figure: Figure, factor: float) -> str:
    return f"<= {factor:.0f}" if figure.absolute else f"{_times(figure, factor):.3g} x"


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return _number(cell.value) + ("+" if cell.driver_bound else "")


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1f} x"


def _cpu(cell: Cell | None) -> str:
    return "-" if cell is None or cell.cpu is None else _number(cell.cpu)


def table(rows: Sequence[Row], titles: Sequence[str]) -> str:
    """Two blocks of plain text: the medians with ratio and ask, then CPU per request in microseconds."""
    verdicts = {True: "yes", False: "NO", None: "-"}
    head = ["figure", "unit", *titles, "ratio", "ask", "reach", "met"]
    body = [
        [
            row.figure.title,
            row.figure.unit,
            *(_cell(row.cells.get(title)) for title in titles),
            _ratio(row.ratio),
            _wish(row.figure, row.figure.ask),
            _wish(row.figure, row.figure.reach),
            verdicts[row.met],
        ]
        for row in rows
    ]
    cpu = [
        [row.figure.title, "us CPU", *(_cpu(row.cells.get(title)) for title in titles), _ratio(row.cpu_ratio)]
        for row in rows
        if any(cell.cpu for cell in row.cells.values())
    ]
    note = f"ratio: how many times better {OURS} is than {THEIRS}, in its worse revision; {FLOOR}: the floor"
    bound = ["+: the driver was the limit"] if any(c.driver_bound for row in rows for c in row.cells.values()) else []
    blocks = [_aligned([head, *body]), note, *bound]
    if cpu:
        blocks += [
            "",
            "CPU of the measured process per request (or of the whole process)",
            "",
            _aligned([head[:-3], *cpu]),
        ]
    return "\n".join(blocks)


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if at == 0 else text.rjust(width)
            for at, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The same for a program: medians, CPU, ratio, ask and verdict of each figure."""
    return [
        {
            "figure": row.figure.key,
            "unit": row.figure.unit,
            "medians": {title: cell.value for title, cell in row.cells.items()},
            "cpu_us": {title: cell.cpu for title, cell in row.cells.items() if cell.cpu is not None},
            "driver_bound": [title for title, cell in row.cells.items() if cell.driver_bound],
            "ratio": row.ratio,
            "cpu_ratio": row.cpu_ratio,
            "ask": row.figure.ask,
            "met": row.met,
        }
        for row in rows
    ]
