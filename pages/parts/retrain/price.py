"""About how long the trainings of a plan take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.store.loading.datasets import list_datasets

if TYPE_CHECKING:
    from diet_core.experiments.arms import Arm
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store
    from pages.parts.retrain.terms import Terms


def estimated_time(
    store: Store, run: RunRecord, arms: Sequence[Arm], terms: Terms, n: int, n_kept: int
) -> float | None:
    """Return about how many seconds a plan takes; None where the run's folder is gone.

    Args:
        store: Where the run is.
        run: The scoring run, whose speed is taken.
        arms: Of the plan.
        terms: What they have in common.
        n: All training examples.
        n_kept: What stays of them by the rule that the page shows, decisions included.
    """
    from diet_core.errors import DietError
    from diet_core.runs.cost import GUESS, retraining_seconds
    from diet_core.runs.folder import find_run_folder

    n_test = _n_test(str(store.workspace.root), run.dataset.dataset_id, store)
    read = round((terms.curve or terms.epochs) * n_test / GUESS.scoring)
    passes = [size * terms.epochs + read for size in _sizes(arms, terms, n, n_kept)]
    try:
        scored = find_run_folder(store.workspace, run.run_id, "score")
        return retraining_seconds(scored, passes, 1, terms.repeats)
    except DietError:
        return None


def _sizes(arms: Sequence[Arm], terms: Terms, n: int, n_kept: int) -> list[int]:
    """Return how many examples an epoch of each arm trains on."""
    from diet_core.experiments.arms import share_kept

    if terms.budget == "steps":
        return [n] * len(arms)
    by_name = {arm.name: arm for arm in arms}
    is_sweep = "selected" not in by_name and "dynamic" not in by_name
    sizes = []
    for arm in arms:
        like = by_name[arm.like] if arm.like else arm
        share = share_kept(like.rule) if like.rule and is_sweep else None
        sizes.append(n if arm.kind == "full" else n_kept if share is None else round(share * n))
    return sizes


@st.cache_resource(show_spinner=False, max_entries=64)
def _n_test(root: str, dataset_id: str, _store: Store) -> int:
    """Return how many test examples a version has; a version never changes."""
    return next((line.n_test for line in list_datasets(_store) if line.info.dataset_id == dataset_id), 0)
