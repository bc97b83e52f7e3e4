"""The two sides of a comparison and the score that ranks them, all of it in the URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.encoders import with_tag
from diet_core.store.comparison.compare import SEED_SCORES
from diet_core.store.comparison.sides import Side
from diet_core.store.queries.examples import list_available_scores
from diet_core.store.queries.one_example import list_steps_and_seeds
from diet_core.tables import SCORES
from pages.shared.address import clear_url, write_url
from pages.shared.pickers import picked

if TYPE_CHECKING:
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

LAST, MEAN = "last", "mean"


@dataclass(frozen=True)
class Sides:
    """What was chosen: the runs, and what of them."""

    runs: tuple[RunRecord, RunRecord]
    a: Side
    b: Side


def chosen_sides(store: Store, runs: Sequence[RunRecord]) -> Sides:
    """Draw the pickers of both sides and return what was chosen.

    At first that is the newest run and the next one of the same data set; where there is none, the mean of
    its seeds and the first of them.
    """
    _swap_if_asked()
    run, a = _picked_side(store, "A", runs, ("run", "step", "seed"))
    related = [r for r in runs if r.dataset.name == run.dataset.name and r.run_id != run.run_id]
    strange = [r for r in runs if r.dataset.name != run.dataset.name]
    keys = ("other", "other_step", "other_seed")
    other, b = _picked_side(store, "B", [*related, run, *strange], keys, begins_with_seed=not related)
    return Sides((run, other), a, b)


def chosen_score(store: Store, sides: Sides) -> str:
    """Draw the picker of the score that ranks both sides and return its name."""
    return picked(
        "Score",
        "score",
        _scores_of_both(store, sides.a, sides.b),
        title=lambda name: SCORES[name].title,
        help="",
        shows_label=False,
    )


def swap_button() -> None:
    """Draw the button that exchanges both sides."""
    st.button("Swap", icon=":material/swap_horiz:", key="swap", help="A becomes B.", on_click=_swap)


def _picked_side(
    store: Store,
    name: str,
    runs: Sequence[RunRecord],
    keys: tuple[str, str, str],
    *,
    begins_with_seed: bool = False,
) -> tuple[RunRecord, Side]:
    by_id = {run.run_id: run for run in runs}
    run_column, step_column, seed_column = st.columns([5, 2, 2], gap="small")
    with run_column:
        run_id = picked(
            f"Run {name}",
            keys[0],
            list(by_id),
            title=lambda one: with_tag(one, by_id[one].encoder),
            help="Finished scoring runs. Examples are matched by their ids, whatever the version.",
        )
    steps, seeds = _steps_and_seeds(store, run_id)
    with step_column:
        step = picked(
            "Step",
            keys[1],
            [LAST, *steps],
            title=lambda s: _step_in_words(s, by_id[run_id]),
            help="A score step. Those before the end of the first epoch are unreliable.",
        )
    with seed_column:
        chosen = picked(
            "Seed",
            keys[2],
            [*seeds, MEAN] if begins_with_seed else [MEAN, *seeds],
            title=lambda s: "Mean" if s == MEAN else f"Seed {s}",
            help="One training, or the mean over all of them.",
        )
    side = Side(run_id, None if step == LAST else int(step), None if chosen == MEAN else int(chosen))
    return by_id[run_id], side


def _step_in_words(step: str, run: RunRecord) -> str:
    if step == LAST:
        return "Last"
    is_early = int(step) < run.config.epoch_steps
    return f"{int(step):,} (unreliable)" if is_early else f"{int(step):,}"


def last_step(store: Store, run_id: str) -> str:
    """Return the last score step of a run in words."""
    steps, _ = _steps_and_seeds(store, run_id)
    return f"{int(steps[-1]):,}" if steps else LAST


def _steps_and_seeds(store: Store, run_id: str) -> tuple[list[str], list[str]]:
    """Return the score steps and the seeds of a run, each in order."""
    known = store.run_cache.known(run_id, "steps and seeds", lambda: list_steps_and_seeds(store, run_id))
    steps, seeds = (sorted(set(known[name])) for name in ("step", "seed"))
    return list(map(str, steps)), list(map(str, seeds))


def _scores_of_both(store: Store, a: Side, b: Side) -> list[str]:
    if not (a.is_whole and b.is_whole):
        return list(SEED_SCORES)
    of_b = list_available_scores(store, b.run_id)
    return [name for name in list_available_scores(store, a.run_id) if name in of_b] or list(SEED_SCORES)


_PAIRS = (("run", "other"), ("step", "other_step"), ("seed", "other_seed"))


def _swap() -> None:
    st.session_state["swap asked"] = True


def _swap_if_asked() -> None:
    """Exchange both sides before their pickers are drawn."""
    if not st.session_state.pop("swap asked", False):
        return
    for mine, yours in _PAIRS:
        values = st.session_state.get(mine), st.session_state.get(yours)
        st.session_state[yours], st.session_state[mine] = values
        for key in (mine, yours):
            write_url(key, st.session_state[key])
    clear_url("percentiles", "predicted", "other_predicted")
