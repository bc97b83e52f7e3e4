"""The table of a comparison: made in memory by one statement, the oldest ones dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from diet_core.store.comparison.sides import SCHEMA, Compared, Side

if TYPE_CHECKING:
    from diet_core.store.store import Store

CELLS: Final = 50  # of the heatmap, along each side
MAX_TABLES: Final = 3  # kept in memory; a million examples take about 60 MB each …
MAX_ROWS: Final = 5_000_000  # … so that all of them stay below 300 MB, unless a single one has more rows


def ensure_table(store: Store, compared: Compared, own: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    """Make the table of a comparison unless it is there; hold `store.comparing` meanwhile.

    Args:
        store: Where.
        compared: The comparison.
        own: The classes of each side's data set in their own order.
    """
    with store.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        there = {f"{SCHEMA}.{name}": rows for name, rows in cursor.execute(_TABLES).fetchall()}
        if compared.table in there:
            return
        for old in _too_many(there, compared.n_a):
            cursor.execute(f"DROP TABLE {old}")
        key = "position" if compared.dataset_a == compared.dataset_b else "example_id"
        a, of_a = _side_sql(compared.a, compared, own[0])
        b, of_b = _side_sql(compared.b, compared, own[1])
        orders = {"order_a": _order("a", compared.a), "order_b": _order("b", compared.b)}
        sql = _TABLE_SQL.format(table=compared.table, a=a, b=b, key=key, cells=CELLS, **orders)
        cursor.execute(sql, [list(compared.classes), *of_a, *of_b])


def _too_many(there: dict[str, int], n_new: int) -> list[str]:
    """Return the tables that make place for a new one.

    Args:
        there: Tables and their rows, the newest first.
        n_new: Rows of the new one.

    >>> _too_many({"c": 10, "b": 10, "a": 10}, 10)
    ['a']
    >>> _too_many({"b": 1_000_000, "a": 10}, 4_500_000)
    ['b', 'a']
    """
    dropped, n = [], n_new
    for i, (name, rows) in enumerate(there.items()):
        n += rows
        if i + 1 >= MAX_TABLES or n > MAX_ROWS:
            dropped.append(name)
    return dropped


def _order(name: str, side: Side) -> str:
    """Return what orders the examples of a side, hardest first: the run's ranks where there are some."""
    # Of equal hashes (one pair in 37 million data sets of a million examples) the first goes first: sorting
    # by ids as well took twice as long.
    return f"{name}.rank" if side.is_whole else f"{name}.value DESC, {name}.tie, {name}.position"


def _side_sql(side: Side, compared: Compared, own: tuple[str, ...]) -> tuple[str, list[Any]]:
    """Return the query of a side's position, example_id, value, rank or tie, label and predicted."""
    score = compared.score
    if side.is_whole:
        predicted = "predicted_label_oof" if score.endswith("_oof") else "predicted_label"
        return _WHOLE.format(score=score, predicted=predicted), [side.run_id]
    numbers = [compared.classes.index(name) for name in own]
    if side.seed is not None:
        return _SEED.format(score=score), [numbers, side.run_id, side.step, side.seed, side.run_id]
    return _STEP.format(score=score), [numbers, side.run_id, side.step, side.run_id]


_TABLES: Final = """
SELECT table_name, estimated_size FROM duckdb_tables()
WHERE database_name = 'memory' AND schema_name = 'compared' ORDER BY table_oid DESC
"""

_WHOLE: Final = """
SELECT s.position, s.example_id, s.{score} AS value, s.rank_{score} AS rank,
       l.number AS label, p.number AS predicted
FROM scores s LEFT JOIN classes l ON l.name = s.label LEFT JOIN classes p ON p.name = s.{predicted}
WHERE s.run_id = ?
"""

# Of a seed or a step: `v` has position, value and predicted, the class's number in its own data set.
_BY_SEED: Final = """
SELECT s.position, s.example_id, s.tie, v.value, l.number AS label,
       list_extract(?::SMALLINT[], v.predicted + 1) AS predicted
FROM ({values}) v JOIN scores s USING (position) LEFT JOIN classes l ON l.name = s.label
WHERE s.run_id = ?
"""
_SEED: Final = _BY_SEED.format(
    values="SELECT position, {score} AS value, predicted FROM seed_scores "
    "WHERE run_id = ? AND step = ? AND seed = ?"
)
# The prediction of a step is what most seeds predict; of equally many, what the first of them does.
_STEP: Final = _BY_SEED.format(
    values="""
    SELECT position, sum(total) / sum(n) AS value, arg_max(predicted, (n, -first)) AS predicted
    FROM (
        SELECT position, predicted, count(*) AS n, sum({score}) AS total, min(seed) AS first
        FROM seed_scores WHERE run_id = ? AND step = ? GROUP BY position, predicted
    ) GROUP BY position
    """
)

# `place`: 1 = hardest of the common examples, ties in the order of every ranking. `ranks`: twice the mean
# rank of the tied, a whole number. `cell`: 0 = the easiest fiftieth by mean rank.
_TABLE_SQL: Final = """
CREATE TABLE {table} AS
WITH classes AS (SELECT name, (place - 1)::SMALLINT AS number
                 FROM unnest(?) WITH ORDINALITY AS classes(name, place)),
     a AS ({a}), b AS ({b}),
     common AS (
         SELECT a.position AS position_a, b.position AS position_b, a.value AS value_a, b.value AS value_b,
                a.label AS label_a, b.label AS label_b, a.predicted AS predicted_a,
                b.predicted AS predicted_b,
                row_number() OVER (ORDER BY {order_a})::INTEGER AS place_a,
                row_number() OVER (ORDER BY {order_b})::INTEGER AS place_b
         FROM a JOIN b USING ({key})
     ),
     tied_a AS (SELECT value_a, min(place_a) + max(place_a) AS ranks FROM common
                GROUP BY value_a HAVING count(*) > 1),
     tied_b AS (SELECT value_b, min(place_b) + max(place_b) AS ranks FROM common
                GROUP BY value_b HAVING count(*) > 1),
     ranked AS (
         SELECT common.*, coalesce(tied_a.ranks, 2 * place_a)::INTEGER AS ranks_a,
                coalesce(tied_b.ranks, 2 * place_b)::INTEGER AS ranks_b,
                count(*) OVER () AS n
         FROM common LEFT JOIN tied_a USING (value_a) LEFT JOIN tied_b USING (value_b)
     )
SELECT * EXCLUDE (n),
       ((2 * n + 1 - ranks_a) * {cells} // (2 * n))::UTINYINT AS cell_a,
       ((2 * n + 1 - ranks_b) * {cells} // (2 * n))::UTINYINT AS cell_b
FROM ranked
"""
