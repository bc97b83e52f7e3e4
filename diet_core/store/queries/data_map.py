"""Two scores of a run at once: grids, regions and a sample, counted in SQL so that few rows travel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from diet_core.bins import robust_range
from diet_core.errors import SettingError
from diet_core.store.filters import ExampleFilter, checked_score
from diet_core.store.loading.ranks import TIE_ORDER
from diet_core.store.loading.runs import read_run
from diet_core.store.queries.examples import EVERYTHING, build_where
from diet_core.store.queries.histograms import read_score_quantiles

if TYPE_CHECKING:
    from diet_core.store.store import Store

GRID: Final = (54, 36)  # cells across and up: 1,944 at most
MAP_POINTS: Final = 2000  # with the grid below them fewer than 5,000 marks
MAX_MARKS: Final = 5000

# Of the data map. Swayamdipta et al. 2020 take the third of the examples with the largest variability, and of
# the confidence; fixed limits say of two runs which one has more of a kind.
AMBIGUOUS_FROM: Final = 0.2  # variability; its largest possible value is 0.5
EASY_FROM: Final = 0.5  # confidence, of what is not ambiguous


@dataclass(frozen=True)
class Axis:
    """Where the axis of a score starts and ends.

    Attributes:
        score: Which.
        start: Its left or lower end.
        end: Its other end.
        below: Examples of the run with a smaller value than `start`: they are counted at its start.
        above: Examples of the run with a larger value than `end`.
    """

    score: str
    start: float
    end: float
    below: int
    above: int


@dataclass(frozen=True)
class Regions:
    """How many examples lie in each region of the data map.

    Attributes:
        easy: Variability below `AMBIGUOUS_FROM`, confidence from `EASY_FROM`.
        ambiguous: Variability from `AMBIGUOUS_FROM`.
        hard: Variability below it, confidence below `EASY_FROM`.
    """

    easy: int
    ambiguous: int
    hard: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.easy + self.ambiguous + self.hard


def read_score_axis(store: Store, run_id: str, column: str) -> Axis:
    """Return an axis that one outlier cannot stretch; as the histogram's.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `column` is not a score or the run has no values of it.
    """
    read_run(store, run_id)
    lowest, highest, *inner = read_score_quantiles(store, run_id, column)
    start, end = robust_range(lowest, highest, *inner)
    if start <= lowest and highest <= end:
        return Axis(column, start, end, 0, 0)
    sql = (
        f"SELECT count(*) FILTER (WHERE {column} < ?), count(*) FILTER (WHERE {column} > ?) "
        "FROM scores WHERE run_id = ?"
    )
    below, above = store.run_cache.known(run_id, sql, lambda: store.rows(sql, [start, end, run_id])[0])
    return Axis(column, start, end, below, above)


def count_grid(
    store: Store,
    run_id: str,
    x: Axis,
    y: Axis,
    filter: ExampleFilter = EVERYTHING,
    cells: tuple[int, int] = GRID,
) -> pd.DataFrame:
    """Return how many examples have which pair of values.

    Args:
        store: Where.
        run_id: The run.
        x: Across; values beyond its ends are counted in its outer cells.
        y: Up.
        filter: Which examples.
        cells: How many cells across and up, 5,000 together at most.

    Returns:
        A row per cell that is not empty: x_start, x_end, y_start, y_end, count and correctness (the mean;
        null where the run has none).

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If there are too many cells.
    """
    across, up = cells
    if across < 1 or up < 1 or across * up > MAX_MARKS:
        raise SettingError(
            f"A grid of {across} × {up} cells was asked for. Give 1 to {MAX_MARKS:,} together."
        )
    where, values = build_where(store, run_id, filter)
    columns = f"{checked_score(x.score)} IS NOT NULL AND {checked_score(y.score)} IS NOT NULL"
    widths = (x.end - x.start) / across, (y.end - y.start) / up
    counts = store.frame(
        f"""
        SELECT {_cell(x.score)} AS i, {_cell(y.score)} AS j, count(*) AS n, avg(correctness) AS correctness
        FROM scores WHERE {where} AND {columns} GROUP BY i, j ORDER BY i, j
        """,
        [x.start, widths[0], across, y.start, widths[1], up, *values],
    )
    edges = {
        **{f"x_{end}": x.start + (counts["i"] + k) * widths[0] for k, end in enumerate(("start", "end"))},
        **{f"y_{end}": y.start + (counts["j"] + k) * widths[1] for k, end in enumerate(("start", "end"))},
    }
    return pd.DataFrame({**edges, "count": counts["n"], "correctness": counts["correctness"]})


def sample_map_points(
    store: Store, run_id: str, filter: ExampleFilter = EVERYTHING, limit: int = MAP_POINTS
) -> pd.DataFrame:
    """Return a seeded random sample of the examples for the data map: those of the smallest id hashes.

    The same examples of the same filter are drawn each time, and a narrower filter keeps those that pass it.

    Args:
        store: Where.
        run_id: The run.
        filter: Which examples.
        limit: At most so many.

    Returns:
        Columns example_id, label, predicted_label, variability, confidence, correctness; no texts.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    where, values = build_where(store, run_id, filter)
    return store.frame(
        f"""
        SELECT example_id, label, predicted_label, variability, confidence, correctness FROM scores
        WHERE {where} AND variability IS NOT NULL AND confidence IS NOT NULL
        ORDER BY {TIE_ORDER} LIMIT {limit:d}
        """,
        values,
    )


def count_map_regions(store: Store, run_id: str, filter: ExampleFilter = EVERYTHING) -> Regions:
    """Return how many examples lie in each region of the data map.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    where, values = build_where(store, run_id, filter)
    calm = f"variability < {AMBIGUOUS_FROM}"
    counts = store.rows(
        f"""
        SELECT count(*) FILTER (WHERE {calm} AND confidence >= {EASY_FROM}),
               count(*) FILTER (WHERE variability >= {AMBIGUOUS_FROM} AND confidence IS NOT NULL),
               count(*) FILTER (WHERE {calm} AND confidence < {EASY_FROM})
        FROM scores WHERE {where}
        """,
        values,
    )[0]
    return Regions(*counts)


def _cell(column: str) -> str:
    """Return the number of a value's cell; its question marks are start, width and number of cells."""
    return f"least(greatest(floor(({column} - ?) / ?), 0), ? - 1)::INTEGER"
