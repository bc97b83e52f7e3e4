"""Two runs side by side, or two seeds, steps or models: the examples that both scored.

Their table is made once per comparison and lives in the attached database `memory`, so that every chart and
page of it is a query of one narrow table.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from diet_core.errors import NotFoundError, RunStateError, SettingError
from diet_core.store.comparison.sides import Compared, Side
from diet_core.store.comparison.table import ensure_table
from diet_core.store.filters import checked_score
from diet_core.store.loading.runs import read_run
from diet_core.store.queries.examples import check_rankable, count_examples
from diet_core.store.queries.one_example import list_steps_and_seeds

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

SEED_SCORES: Final = ("el2n", "grand")  # what is known of one seed or of an earlier step


def compare(store: Store, a: Side, b: Side, score: str = "el2n") -> Compared:
    """Return a comparison; its table is made unless it is there.

    Args:
        store: Where.
        a: One side.
        b: The other. Versions of a data set, and data sets that share ids, are joined by the examples' ids.
        score: What ranks both sides; of one step or seed EL2N and GraNd only.

    Raises:
        NotFoundError: If a run is not loaded, or has no such step or seed.
        RunStateError: If a run is no scoring run.
        SettingError: If both sides are the same, share no example, or one lacks the score.
    """
    records = _scoring_run(store, a), _scoring_run(store, b)
    a, b = _resolved(store, a), _resolved(store, b)
    if a == b:
        raise SettingError("Both sides are the same scores. Choose another run, step or seed for one side.")
    for side in (a, b):
        _check_score(store, side, score)
    own = records[0].dataset.classes, records[1].dataset.classes
    compared = Compared(
        a,
        b,
        score,
        dataset_a=records[0].dataset.dataset_id,
        dataset_b=records[1].dataset.dataset_id,
        classes=tuple(dict.fromkeys((*own[0], *own[1]))),
        n_a=count_examples(store, a.run_id),
        n_b=count_examples(store, b.run_id),
    )
    with store.comparing:
        ensure_table(store, compared, own)
    return _counted(store, compared)


def query_comparison(
    store: Store, compared: Compared, sql: str, parameters: list[Any] | None = None
) -> pd.DataFrame:
    """Return the rows of a query on a comparison's table, which is made anew if others have taken its place.

    Args:
        store: Where.
        compared: From `compare`.
        sql: With `{table}` where the table's name goes.
        parameters: Of its question marks.
    """
    query = sql.replace("{table}", compared.table)
    rows = store.frame_if_there(query, parameters or [])
    if rows is None:
        compare(store, compared.a, compared.b, compared.score)
        rows = store.frame(query, parameters or [])
    return rows


def _scoring_run(store: Store, side: Side) -> RunRecord:
    record = read_run(store, side.run_id)
    if record.kind != "score":
        raise RunStateError(f"{side.run_id} is a {record.kind} run. Compare scoring runs: see runs.")
    return record


def _resolved(store: Store, side: Side) -> Side:
    """Return a side in one form: a step or seed has its step, the mean of the last step is the whole run."""
    if side.is_whole:
        return side
    known = list_steps_and_seeds(store, side.run_id)
    last = None if known.empty else int(known["step"].max())
    step = last if side.step is None else side.step
    here = known[known["step"] == step]
    if here.empty or (side.seed is not None and side.seed not in set(here["seed"])):
        raise NotFoundError(_not_there(side, known))
    # Of a single seed the mean is the seed.
    seed = side.seed if here["seed"].nunique() > 1 else None
    return Side(side.run_id) if seed is None and step == last else Side(side.run_id, step, seed)


def _not_there(side: Side, known: pd.DataFrame) -> str:
    named = {"step": side.step, "seed": side.seed}
    asked = [f"{name} {value}" for name, value in named.items() if value is not None]
    steps, seeds = (", ".join(map(str, sorted(set(known[name])))) for name in ("step", "seed"))
    return (
        f"Run {side.run_id} has no scores of {' and '.join(asked)} "
        f"(its steps are {steps or 'none'}; its seeds {seeds or 'none'}). Choose one of these."
    )


def _check_score(store: Store, side: Side, score: str) -> None:
    if side.is_whole:
        check_rankable(store, side.run_id, checked_score(score))
    elif checked_score(score) not in SEED_SCORES:
        raise SettingError(
            f"One step or seed of a run has EL2N and GraNd only, not {score}. "
            "Choose one of these, or the whole run."
        )


def _counted(store: Store, compared: Compared) -> Compared:
    """Return a comparison with its number of common examples.

    Raises:
        SettingError: If there is none.
    """
    n_common = int(query_comparison(store, compared, "SELECT count(*) AS n FROM {table}")["n"].iloc[0])
    if not n_common:
        raise SettingError(
            f"No example was scored by both {compared.a.run_id} and {compared.b.run_id} (data sets "
            f"{compared.dataset_a} and {compared.dataset_b}). Compare runs whose examples share ids."
        )
    return replace(compared, n_common=n_common)
