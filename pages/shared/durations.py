"""Durations and the agreement of seeds in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diet_core.errors import DietError
from diet_core.runs import cost
from diet_core.runs.folder import find_run_folder
from diet_core.store.loading.runs import RunRecord

if TYPE_CHECKING:
    from diet_core.store.store import Store


def retraining_seconds(
    store: Store, run: RunRecord, n_examples: Sequence[int], repeats: int = 1
) -> float | None:
    """Return about how many seconds trainings take at the speed of a scoring run.

    Args:
        store: Where the run is.
        run: The scoring run.
        n_examples: Examples that each training sees, over all of its epochs.
        repeats: Of each training.

    Returns:
        None if the run's folder is gone or its speed is not known.
    """
    try:
        return cost.retraining_seconds(
            find_run_folder(store.workspace, run.run_id, "score"), n_examples, 1, repeats
        )
    except DietError:
        return None


def percent(share: float) -> str:
    """Return a share in percent, small ones with a digit more.

    >>> percent(0.42), percent(0.034)
    ('42 %', '3.4 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.1f} %"


# Reliabilities from which the order of the examples can be called so.
_HIGH, _FAIR = 0.95, 0.85


def agreement_in_words(agreement: dict[str, Any] | None) -> str:
    """Return what the agreement of the seeds means for a user of the scores.

    Args:
        agreement: As a run's status has it; None with one seed.

    >>> words = agreement_in_words({"single": [0.9, 0.9], "reliability": {"1": 0.8, "2": 0.96}})
    >>> words.split(":")[0], words.split("; ")[1]
    ('The seeds agree well', 'one seed alone would reach 0.80.')
    """
    if agreement is None:
        return "One seed only: how much of the order is chance is not known. Score with 3 seeds to see it."
    n = len(agreement["single"])
    own, one = (float(agreement["reliability"][str(k)]) for k in (n, 1))
    if own != own:
        return "The seeds cannot be compared: all examples of a seed have the same score."
    well = "well" if own >= _HIGH else "fairly" if own >= _FAIR else "poorly; take more seeds or epochs"
    return (
        f"The seeds agree {well}: the order by EL2N is expected to correlate {own:.2f} with the order that "
        f"very many seeds would give; one seed alone would reach {one:.2f}."
    )
