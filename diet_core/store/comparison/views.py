"""What a comparison says: counted or paged in SQL, so that few rows travel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from diet_core.errors import SettingError
from diet_core.store.comparison.compare import Compared, compared_rows
from diet_core.store.comparison.table import CELLS

if TYPE_CHECKING:
    from diet_core.store.store import Store

Percents = tuple[float, float]

PAGE_ROWS: Final = 50
MAX_OFFSET: Final = 5_000  # rows; what lies deeper is reached from the other end or by a filter
MAX_PAIRS: Final = 2_500  # cells of the matrix of predictions

# How pages of examples are ordered; all of them end where another one begins.
ORDERS: Final = {
    "harder in b": "ranks_a - ranks_b DESC, position_a",
    "easier in b": "ranks_b - ranks_a DESC, position_a",
    "hardest of a": "place_a",
    "hardest of b": "place_b",
}

_BOTH_KNOWN: Final = "label_a = label_b AND predicted_a IS NOT NULL AND predicted_b IS NOT NULL"
# Who predicts the given label, where both versions give the same one.
OUTCOMES: Final = {
    "both": f"({_BOTH_KNOWN} AND predicted_a = label_a AND predicted_b = label_a)",
    "only a": f"({_BOTH_KNOWN} AND predicted_a = label_a AND predicted_b <> label_a)",
    "only b": f"({_BOTH_KNOWN} AND predicted_a <> label_a AND predicted_b = label_a)",
    "neither": f"({_BOTH_KNOWN} AND predicted_a <> label_a AND predicted_b <> label_a)",
}


@dataclass(frozen=True)
class Among:
    """Conditions on the common examples of a comparison; all must hold.

    Attributes:
        percentiles_a: From and to in percent, 0 = the easiest, in fiftieths as the heatmap has them.
        percentiles_b: The same for B.
        label: Only this label (of A).
        predicted_a: Only this prediction of A.
        predicted_b: Only this prediction of B.
        outcome: One of `OUTCOMES`; None = all.
        is_disagreement: Only where the two predict different classes.
    """

    percentiles_a: Percents | None = None
    percentiles_b: Percents | None = None
    label: str | None = None
    predicted_a: str | None = None
    predicted_b: str | None = None
    outcome: str | None = None
    is_disagreement: bool = False

    def __post_init__(self) -> None:
        """Check the name that becomes part of the SQL."""
        if self.outcome is not None and self.outcome not in OUTCOMES:
            raise SettingError(f"outcome is {self.outcome!r}. Choose one of: {', '.join(OUTCOMES)}.")

    def condition(self, classes: tuple[str, ...]) -> tuple[str, list[Any]]:
        """Return a condition on the rows of a comparison's table and the values of its question marks."""
        conditions = ["true"]
        values: list[Any] = []
        for column, percents in (("cell_a", self.percentiles_a), ("cell_b", self.percentiles_b)):
            if percents is not None:
                conditions.append(f"{column} BETWEEN ? AND ?")
                values += cells_of(percents)
        names = {"label_a": self.label, "predicted_a": self.predicted_a, "predicted_b": self.predicted_b}
        for column, name in names.items():
            if name is not None:
                conditions.append(f"{column} = ?")
                values.append(classes.index(name) if name in classes else -1)
        if self.outcome is not None:
            conditions.append(OUTCOMES[self.outcome])
        if self.is_disagreement:
            conditions.append("predicted_a <> predicted_b")
        return " AND ".join(conditions), values


EVERYTHING: Final = Among()


def cells_of(percents: Percents) -> tuple[int, int]:
    """Return the first and the last fiftieth that a range of percentiles touches.

    >>> cells_of((0, 100)), cells_of((10, 11)), cells_of((10, 10))
    ((0, 49), (5, 5), (5, 5))
    """
    width = 100 / CELLS
    first = min(max(int(percents[0] // width), 0), CELLS - 1)
    last = min(max(int(-(-percents[1] // width)) - 1, first), CELLS - 1)
    return first, last


def count_common(store: Store, compared: Compared, among: Among = EVERYTHING) -> int:
    """Return how many of the common examples pass a filter."""
    where, values = among.condition(compared.classes)
    found = compared_rows(store, compared, f"SELECT count(*) AS n FROM {{table}} WHERE {where}", values)
    return int(found["n"].iloc[0])


def rank_correlation(store: Store, compared: Compared) -> float:
    """Return Spearman's rank correlation of the common examples, in [−1, 1]; tied values share a mean rank.

    The sums are those of whole numbers, so that nothing is rounded before the last division. NaN where all
    values of a side are tied: its order says nothing.
    """
    middle = compared.n_common + 1
    a, b = (f"(ranks_{side} - {middle})::BIGINT" for side in "ab")
    sql = (
        f"SELECT sum({a} * {b})::VARCHAR AS ab, sum({a} * {a})::VARCHAR AS aa, sum({b} * {b})::VARCHAR AS bb"
    )
    sums = compared_rows(store, compared, f"{sql} FROM {{table}}").iloc[0]
    ab, aa, bb = (int(sums[name]) for name in ("ab", "aa", "bb"))
    return float(ab / (aa * bb) ** 0.5) if aa and bb else float("nan")


def shared_hardest(store: Store, compared: Compared) -> pd.DataFrame:
    """Return how many of the hardest examples are the same on both sides, for 1 to 100 percent of them.

    Returns:
        A row per percent: percent, n (that many examples are the hardest of each side, rounded as every
        share is), n_shared, and share (of n; by chance it would be n / n_common).
    """
    n = compared.n_common
    # The smallest percent whose share, ⌊percent·n/100 + ½⌋, reaches the worse of the two places.
    found = compared_rows(
        store,
        compared,
        f"SELECT ((2 * greatest(place_a, place_b)::BIGINT - 1) * 50 + {n} - 1) // {n} AS percent, "
        "count(*) AS n FROM {table} GROUP BY percent",
    )
    counts = found.set_index("percent")["n"].reindex(range(101), fill_value=0).cumsum()
    table = pd.DataFrame({"percent": range(1, 101)})
    table["n"] = (2 * table["percent"] * n + 100) // 200
    table["n_shared"] = counts.loc[1:].to_numpy()
    table["share"] = table["n_shared"] / table["n"].where(table["n"] > 0)
    return table


def percentile_cells(store: Store, compared: Compared) -> pd.DataFrame:
    """Return how many examples lie in which fiftieth of both sides.

    Returns:
        A row per cell that holds any, 2,500 at most: a_start, a_end, b_start, b_end (percent, 0 = the
        easiest example, 100 = the hardest) and count.
    """
    width = 100 // CELLS
    return compared_rows(
        store,
        compared,
        f"SELECT cell_a::INTEGER * {width} AS a_start, (cell_a::INTEGER + 1) * {width} AS a_end, "
        f"cell_b::INTEGER * {width} AS b_start, (cell_b::INTEGER + 1) * {width} AS b_end, count(*) AS count "
        "FROM {table} GROUP BY ALL ORDER BY a_start, b_start",
    )


def compared_page(
    store: Store,
    compared: Compared,
    order: str,
    among: Among = EVERYTHING,
    *,
    limit: int = PAGE_ROWS,
    offset: int = 0,
    text_length: int | None = None,
) -> pd.DataFrame:
    """Return some of the common examples.

    Args:
        store: Where.
        compared: The comparison.
        order: One of `ORDERS`.
        among: Which examples.
        limit: Number of rows.
        offset: Rows to pass over, at most 5,000.
        text_length: Texts are cut after so many characters (and end in …). None = whole.

    Returns:
        Columns example_id, text, text_pair (as in A's data set), label_a, label_b, predicted_a, predicted_b,
        value_a, value_b, place_a, place_b (1 = hardest), percentile_a, percentile_b (of the mean rank, 100 =
        hardest), and change (percentile_b − percentile_a).

    Raises:
        SettingError: If there is no such order, or the page is out of range.
    """
    if order not in ORDERS or not 0 <= offset <= MAX_OFFSET:
        raise SettingError(
            f"Rows from {offset} in the order {order!r} were asked for. "
            f"Give an offset up to {MAX_OFFSET} and one of: {', '.join(ORDERS)}."
        )
    where, values = among.condition(compared.classes)
    rows = compared_rows(
        store,
        compared,
        f"SELECT {_page_columns(compared.n_common)} FROM {{table}} WHERE {where} "
        f"ORDER BY {ORDERS[order]} LIMIT {limit:d} OFFSET {offset:d}",
        values,
    )
    names = dict(enumerate(compared.classes))
    for column in ("label_a", "label_b", "predicted_a", "predicted_b"):
        rows[column] = rows[column].map(names).astype("str")
    texts = _texts(store, compared.dataset_a, rows["position_a"].tolist(), text_length)
    rows.insert(0, "example_id", texts["example_id"].to_numpy())
    rows.insert(1, "text", texts["text"].to_numpy())
    rows.insert(2, "text_pair", texts["text_pair"].to_numpy())
    return rows.drop(columns="position_a")


def _page_columns(n: int) -> str:
    percentiles = ", ".join(
        f"(2 * {n} + 1 - ranks_{side}) * 100.0 / (2 * {n}) AS percentile_{side}" for side in "ab"
    )
    return (
        "position_a, label_a, label_b, predicted_a, predicted_b, value_a, value_b, place_a, place_b, "
        f"{percentiles}, (ranks_a - ranks_b) * 100.0 / (2 * {n}) AS change"
    )


def _texts(store: Store, dataset_id: str, positions: list[int], length: int | None) -> pd.DataFrame:
    cut = ", ".join(
        f"left({c}, {length:d}) || if(length({c}) > {length:d}, '…', '') AS {c}" if length else c
        for c in ("text", "text_pair")
    )
    found = store.frame(
        f"SELECT position, example_id, {cut} FROM examples "
        "WHERE dataset_id = ? AND position IN (SELECT unnest(?))",
        [dataset_id, positions],
    )
    return found.set_index("position").reindex(positions)
