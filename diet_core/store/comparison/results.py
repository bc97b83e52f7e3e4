"""What a comparison says: counted or paged in SQL, so that few rows travel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from diet_core.errors import SettingError
from diet_core.store.comparison.compare import query_comparison
from diet_core.store.comparison.sides import Compared
from diet_core.store.comparison.table import CELLS
from diet_core.store.queries.texts import read_text_table

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
    found = query_comparison(store, compared, f"SELECT count(*) AS n FROM {{table}} WHERE {where}", values)
    return int(found["n"].iloc[0])


def find_rank_correlation(store: Store, compared: Compared) -> float:
    """Return Spearman's rank correlation of the common examples, in [−1, 1]; tied values share a mean rank.

    The sums are those of whole numbers, so that nothing is rounded before the last division. NaN where all
    values of a side are tied: its order says nothing.
    """
    middle = compared.n_common + 1
    a, b = (f"(ranks_{side} - {middle})::BIGINT" for side in "ab")
    sql = (
        f"SELECT sum({a} * {b})::VARCHAR AS ab, sum({a} * {a})::VARCHAR AS aa, sum({b} * {b})::VARCHAR AS bb"
    )
    sums = query_comparison(store, compared, f"{sql} FROM {{table}}").iloc[0]
    ab, aa, bb = (int(sums[name]) for name in ("ab", "aa", "bb"))
    return float(ab / (aa * bb) ** 0.5) if aa and bb else float("nan")


def count_shared_hardest(store: Store, compared: Compared) -> pd.DataFrame:
    """Return how many of the hardest examples are the same on both sides, for 1 to 100 percent of them.

    Returns:
        A row per percent: percent, n (that many examples are the hardest of each side, rounded as every
        share is), n_shared, and share (of n; by chance it would be n / n_common).
    """
    n = compared.n_common
    # The smallest percent whose share, ⌊percent·n/100 + ½⌋, reaches the worse of the two places.
    found = query_comparison(
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


def count_percentile_cells(store: Store, compared: Compared) -> pd.DataFrame:
    """Return how many examples lie in which fiftieth of both sides.

    Returns:
        A row per cell that holds any, 2,500 at most: a_start, a_end, b_start, b_end (percent, 0 = the
        easiest example, 100 = the hardest) and count.
    """
    width = 100 // CELLS
    return query_comparison(
        store,
        compared,
        f"SELECT cell_a::INTEGER * {width} AS a_start, (cell_a::INTEGER + 1) * {width} AS a_end, "
        f"cell_b::INTEGER * {width} AS b_start, (cell_b::INTEGER + 1) * {width} AS b_end, count(*) AS count "
        "FROM {table} GROUP BY ALL ORDER BY a_start, b_start",
    )


def read_compared_page(
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
    rows = query_comparison(
        store,
        compared,
        f"SELECT {_page_columns(compared.n_common)} FROM {{table}} WHERE {where} "
        f"ORDER BY {ORDERS[order]} LIMIT {limit:d} OFFSET {offset:d}",
        values,
    )
    named = with_class_names(rows, compared, ["label_a", "label_b", "predicted_a", "predicted_b"])
    texts = read_text_table(store, compared.dataset_a, rows["position_a"].tolist(), text_length)
    return pd.concat([texts.reset_index(drop=True), named.drop(columns="position_a")], axis="columns")


def _page_columns(n: int) -> str:
    percentiles = ", ".join(
        f"(2 * {n} + 1 - ranks_{side}) * 100.0 / (2 * {n}) AS percentile_{side}" for side in "ab"
    )
    return (
        "position_a, label_a, label_b, predicted_a, predicted_b, value_a, value_b, place_a, place_b, "
        f"{percentiles}, (ranks_a - ranks_b) * 100.0 / (2 * {n}) AS change"
    )


def with_class_names(table: pd.DataFrame, compared: Compared, columns: list[str]) -> pd.DataFrame:
    """Return the table with the names of its class numbers."""
    names = dict(enumerate(compared.classes))
    return table.assign(**{column: table[column].map(names).astype("str") for column in columns})


def count_prediction_pairs(store: Store, compared: Compared) -> pd.DataFrame:
    """Return how often which prediction of A meets which of B.

    Returns:
        Columns predicted_a, predicted_b, count and share (of A's prediction), most frequent first, 2,500
        rows at most; none where a side has no predictions.
    """
    pairs = query_comparison(
        store,
        compared,
        """
        SELECT predicted_a, predicted_b, count(*) AS count,
               count(*) / sum(count(*)) OVER (PARTITION BY predicted_a) AS share
        FROM {table} WHERE predicted_a IS NOT NULL AND predicted_b IS NOT NULL
        GROUP BY predicted_a, predicted_b ORDER BY count DESC, predicted_a, predicted_b
        """,
    ).head(MAX_PAIRS)
    return with_class_names(pairs, compared, ["predicted_a", "predicted_b"])


def count_agreeing(store: Store, compared: Compared) -> tuple[int, int]:
    """Return in how many examples both predict the same class, and how many both predict at all."""
    found = query_comparison(
        store,
        compared,
        "SELECT count(*) FILTER (WHERE predicted_a = predicted_b) AS agree, "
        "count(*) FILTER (WHERE predicted_a IS NOT NULL AND predicted_b IS NOT NULL) AS n FROM {table}",
    ).iloc[0]
    return int(found["agree"]), int(found["n"])


def count_who_is_right(store: Store, compared: Compared) -> pd.DataFrame:
    """Return per given label which side predicts it, among examples of the same label in both versions.

    Returns:
        A row per class that occurs, in the order of the classes: label, n, both, only_a, only_b, neither.
    """
    counts = ", ".join(
        f"count(*) FILTER (WHERE {sql}) AS {name.replace(' ', '_')}" for name, sql in OUTCOMES.items()
    )
    found = query_comparison(
        store,
        compared,
        f"SELECT label_a AS label, {counts} FROM {{table}} WHERE label_a = label_b "
        "GROUP BY label_a ORDER BY label_a",
    )
    table = with_class_names(found, compared, ["label"])
    table.insert(1, "n", table[["both", "only_a", "only_b", "neither"]].sum(axis=1))
    return table[table["n"] > 0].reset_index(drop=True)


def count_changed_data(store: Store, compared: Compared) -> tuple[int, int]:
    """Return how many common examples have another label in the data set of B, and how many another text."""
    if compared.dataset_a == compared.dataset_b:
        return 0, 0
    found = query_comparison(
        store,
        compared,
        """
        WITH of_a AS (SELECT * FROM examples WHERE dataset_id = ?),
             of_b AS (SELECT * FROM examples WHERE dataset_id = ?)
        SELECT count(*) FILTER (WHERE label_a <> label_b) AS labels,
               count(*) FILTER (WHERE (of_a.text, of_a.text_pair)
                                IS DISTINCT FROM (of_b.text, of_b.text_pair))
                   AS texts
        FROM {table} t JOIN of_a ON of_a.position = t.position_a JOIN of_b ON of_b.position = t.position_b
        """,
        [compared.dataset_a, compared.dataset_b],
    ).iloc[0]
    return int(found["labels"]), int(found["texts"])
