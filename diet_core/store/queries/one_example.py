"""What a run says of one example, and its seeds of one and of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from diet_core.errors import NotFoundError
from diet_core.store.filters import checked_score
from diet_core.store.loading.ranks import RANKS
from diet_core.store.loading.runs import read_run
from diet_core.store.queries.texts import read_texts
from diet_core.tables import SCORES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from diet_core.store.store import Store


_POSITION: Final = "position of"
_SIZES: Final = "SELECT label, count(*) FROM scores WHERE run_id = ? GROUP BY label"


def find_example(store: Store, run_id: str, example_id: str, *, out_of_fold: bool = False) -> dict[str, Any]:
    """Return the texts and labels of one scored example.

    Args:
        store: Where.
        run_id: The run.
        example_id: One of its examples.
        out_of_fold: Prediction and suggestion are those of models that did not train on it.

    Returns:
        text, text_pair, label, predicted_label, suggested_label, suggested_probability; None where the run
        or the data set has none.

    Raises:
        NotFoundError: If the run is not loaded or did not score that example.
    """
    position, dataset_id = (
        find_position(store, run_id, example_id),
        read_run(store, run_id).dataset.dataset_id,
    )
    if position is None:
        raise _not_scored(run_id, example_id)
    names = ("predicted_label", "suggested_label", "suggested_probability")
    read = [f"{name}_oof" if out_of_fold else name for name in names]
    # Both by its position: a join over ids would look at all of them.
    _, *texts = read_texts(store, dataset_id, [position])[position]
    labels = store.rows(
        f"SELECT label, {', '.join(read)} FROM scores WHERE run_id = ? AND position = ?", [run_id, position]
    )[0]
    return dict(zip(("text", "text_pair", "label", *names), (*texts, *labels), strict=True))


def find_position(store: Store, run_id: str, example_id: str) -> int | None:
    """Return the position of an example that a run scored; None where it did not.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    read_run(store, run_id)
    sql = "SELECT position FROM scores WHERE run_id = ? AND example_id = ?"

    def ask() -> int | None:
        rows = store.rows(sql, [run_id, example_id])
        return int(rows[0][0]) if rows else None

    return store.run_cache.known(run_id, (_POSITION, example_id), ask)


def remember_position(store: Store, run_id: str, example_id: str, position: int) -> None:
    """Save `find_position` a look at all ids, where a position has been seen."""
    store.run_cache.known(run_id, (_POSITION, example_id), lambda: position)


def read_example_scores(
    store: Store, run_id: str, example_id: str, columns: Sequence[str] = tuple(SCORES)
) -> pd.DataFrame:
    """Return what scores say of one example.

    Args:
        store: Where.
        run_id: The run.
        example_id: One of its examples.
        columns: Which scores.

    Returns:
        One row per score that all examples have: score, value, rank (1 = hardest of all scored examples), n,
        and the same among the examples of its class: rank_in_class, n_in_class.

    Raises:
        NotFoundError: If the run is not loaded or did not score that example.
        SettingError: If a column is not a score.
    """
    position, names = find_position(store, run_id, example_id), [checked_score(column) for column in columns]
    if position is None:
        raise _not_scored(run_id, example_id)
    own = store.rows(
        f"SELECT label, {', '.join(f'{name}, {RANKS[name]}' for name in names)} "
        "FROM scores WHERE run_id = ? AND position = ?",
        [run_id, position],
    )[0]
    label, values, ranks = own[0], own[1::2], own[2::2]
    of_class = dict(store.run_cache.known(run_id, _SIZES, lambda: store.rows(_SIZES, [run_id])))
    counts = ", ".join(f"count(*) FILTER (WHERE {RANKS[name]} <= ?)" for name in names)
    in_class = store.rows(
        f"SELECT {counts} FROM scores WHERE run_id = ? AND label = ?", [*ranks, run_id, label]
    )[0]
    table = pd.DataFrame(
        {
            "score": names,
            "value": values,
            "rank": ranks,
            "rank_in_class": in_class,
            "n": sum(of_class.values()),
            "n_in_class": of_class[label],
        }
    )
    return table.dropna(subset="rank").astype({"rank": "int64"}).reset_index(drop=True)


def _not_scored(run_id: str, example_id: str) -> NotFoundError:
    return NotFoundError(
        f"Run {run_id} did not score an example {example_id!r}. Take an id of its training examples."
    )


def read_seed_scores(store: Store, run_id: str, example_id: str) -> pd.DataFrame:
    """Return what each seed's last step says of one example.

    Returns:
        Columns seed, step, el2n, grand, predicted (the class's number) and label_probability (both null for a
        run that an older version loaded and whose folder is gone); one row per seed, none where the run did
        not score the example.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    return store.frame(
        "SELECT seed, step, el2n, grand, predicted, label_probability FROM seed_scores "
        "WHERE run_id = ? AND step = ? AND position = ? ORDER BY seed",
        [run_id, _last_step(store, run_id), find_position(store, run_id, example_id)],
    )


def list_steps_and_seeds(store: Store, run_id: str) -> pd.DataFrame:
    """Return which seeds a run was scored with at which steps: columns step and seed, in this order.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    read_run(store, run_id)
    return store.frame(
        "SELECT DISTINCT step, seed FROM seed_scores WHERE run_id = ? ORDER BY step, seed", [run_id]
    )


def read_seed_matrix(store: Store, run_id: str) -> NDArray[np.float64]:
    """Return EL2N at each seed's last step, shape (n_seeds, n_examples), examples in the data set's order.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    values = store.frame(
        "SELECT seed, el2n FROM seed_scores WHERE run_id = ? AND step = ? ORDER BY seed, position",
        [run_id, _last_step(store, run_id)],
    )
    n_seeds = values["seed"].nunique()
    matrix: NDArray[np.float64] = (
        values["el2n"].to_numpy(dtype=np.float64).reshape(n_seeds, len(values) // max(n_seeds, 1))
    )
    return matrix


def _last_step(store: Store, run_id: str) -> int | None:
    """Return the last score step of a run, the same for all its seeds; None for a run without any.

    Asked for by itself: with a constant the other query skips all blocks of other steps (20 steps of 5 seeds
    and 100,000 examples: 45 ms instead of 200).

    Raises:
        NotFoundError: If the run is not loaded.
    """
    read_run(store, run_id)
    sql = "SELECT max(step) FROM seed_scores WHERE run_id = ?"
    last: int | None = store.run_cache.known(run_id, sql, lambda: store.rows(sql, [run_id])[0][0])
    return last
