"""What the cards of the review desk show of a run: read once for all examples, texts when they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from diet_core.store.loading.ranks import RANKS
from diet_core.store.loading.runs import read_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from diet_core.store.store import Store

# Case and white space folded. Single spaces are left alone, which takes half of the time.
_FOLDED: Final = r"lower(trim(regexp_replace({}, '[\s\p{{Z}}]{{2,}}|[\t-\r]|[^ \PZ]', ' ', 'g')))"


def read_card_scores(store: Store, run_id: str) -> pd.DataFrame:
    """Return what a card says of each scored example of a run without its texts.

    Returns:
        One row per example, in the order of ties of every ranking: example_id, position, label,
        predicted_label, suggested_label, suggested_probability (out of fold where the run has folds),
        text_key (equal for texts and pairs that differ in case and white space only), n_in_class, and per
        score of `card_scores` its value (null where there is none), {score}_rank (1 = hardest) and
        {score}_rank_in_class.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    run = read_run(store, run_id)
    end = "_oof" if run.has_folds else ""
    read = ("predicted_label", "suggested_label", "suggested_probability")
    columns = [f"s.{column}{end} AS {column}" for column in read]
    for score in card_scores(has_folds=run.has_folds):
        columns += _ranks(score)
    return store.frame(
        f"""
        SELECT s.example_id, e.position, s.label, {", ".join(columns)},
               count(*) OVER (PARTITION BY s.label) AS n_in_class,
               hash({_FOLDED.format("e.text")}, {_FOLDED.format("coalesce(e.text_pair, '')")}) AS text_key
        FROM scores s JOIN examples e ON e.example_id = s.example_id
        WHERE s.run_id = ? AND e.dataset_id = ? ORDER BY s.tie, s.example_id
        """,
        [run_id, run.dataset.dataset_id],
    )


def card_scores(*, has_folds: bool) -> tuple[str, str]:
    """Return the scores on a card: the run's suspicion, and EL2N.

    >>> card_scores(has_folds=True)
    ('label_error_oof', 'el2n_oof')
    """
    return ("label_error_oof", "el2n_oof") if has_folds else ("label_error", "el2n")


def read_el2n_at(
    store: Store, run_id: str, steps: Sequence[int], rows: Mapping[str, int]
) -> NDArray[np.float32]:
    """Return EL2N at some steps of a run, the mean over seeds.

    Args:
        store: Where.
        run_id: The run.
        steps: Steps that the run has scores of.
        rows: Each example's row in the result by its id, from 0 without a gap.

    Returns:
        float32, shape (n_examples, n_steps); NaN where nothing was recorded.
    """
    values = np.full((len(rows), len(steps)), np.nan, np.float32)
    ids, places = None, np.zeros(0, np.int64)
    for column, step in enumerate(steps):
        means = store.frame(
            "SELECT s.example_id, seeds.el2n FROM scores s "
            "JOIN (SELECT position, avg(el2n)::FLOAT AS el2n FROM seed_scores WHERE run_id = ? AND step = ? "
            "GROUP BY position) seeds USING (position) WHERE s.run_id = ? ORDER BY position",
            [run_id, step, run_id],
        )
        # The same at every step; to look 100,000 up takes four times as long as the query.
        if ids is None or not ids.equals(means["example_id"]):
            ids = means["example_id"]
            places = np.array([rows[example_id] for example_id in ids], np.int64)
        values[places, column] = means["el2n"]
    return values


def _ranks(score: str) -> list[str]:
    """Return a score and its ranks as columns of a query of `scores s`."""
    rank = f"s.{RANKS[score]}"
    return [
        f"s.{score}",
        f"{rank} AS {score}_rank",
        f"row_number() OVER (PARTITION BY s.label ORDER BY {rank}) AS {score}_rank_in_class",
    ]
