"""What a run says of one example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from diet_core.errors import NotFoundError
from diet_core.store.filters import checked_score
from diet_core.store.loading.ranks import CLASS_RANKS, RANKS
from diet_core.store.loading.runs import read_run
from diet_core.tables import SCORES

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    position, dataset_id = position_of(store, run_id, example_id), read_run(store, run_id).dataset.dataset_id
    if position is None:
        raise _not_scored(run_id, example_id)
    names = ("predicted_label", "suggested_label", "suggested_probability")
    read = [f"{name}_oof" if out_of_fold else name for name in names]
    # Each by its position: a join over ids would look at all of them.
    texts = store.rows(
        "SELECT text, text_pair FROM examples WHERE dataset_id = ? AND position = ?", [dataset_id, position]
    )[0]
    labels = store.rows(
        f"SELECT label, {', '.join(read)} FROM scores WHERE run_id = ? AND position = ?", [run_id, position]
    )[0]
    return dict(zip(("text", "text_pair", "label", *names), (*texts, *labels), strict=True))


def position_of(store: Store, run_id: str, example_id: str) -> int | None:
    """Return the position of an example that a run scored; None where it did not.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    read_run(store, run_id)
    sql = "SELECT position FROM scores WHERE run_id = ? AND example_id = ?"

    def asked() -> int | None:
        found = store.rows(sql, [run_id, example_id])
        return int(found[0][0]) if found else None

    return store.constants.known(run_id, (_POSITION, example_id), asked)


def remember_position(store: Store, run_id: str, example_id: str, position: int) -> None:
    """Save `position_of` a look at all ids, where a position has been seen."""
    store.constants.known(run_id, (_POSITION, example_id), lambda: position)


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
    position, names = position_of(store, run_id, example_id), [checked_score(column) for column in columns]
    if position is None:
        raise _not_scored(run_id, example_id)
    ranked = ", ".join(f"{name}, {RANKS[name]}, {CLASS_RANKS[name]}" for name in names)
    found = store.rows(
        f"SELECT label, {ranked} FROM scores WHERE run_id = ? AND position = ?", [run_id, position]
    )[0]
    of_class = dict(store.constants.known(run_id, _SIZES, lambda: store.rows(_SIZES, [run_id])))
    table = pd.DataFrame(
        {
            "score": names,
            "value": found[1::3],
            "rank": found[2::3],
            "rank_in_class": found[3::3],
            "n": sum(of_class.values()),
            "n_in_class": of_class[found[0]],
        }
    )
    whole = {"rank": "int64", "rank_in_class": "int64"}
    return table.dropna(subset="rank").astype(whole).reset_index(drop=True)


def _not_scored(run_id: str, example_id: str) -> NotFoundError:
    return NotFoundError(
        f"Run {run_id} did not score an example {example_id!r}. Take an id of its training examples."
    )
