"""On what terms arms are compared: repeats, epochs, budget; which epoch counts, how often is evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from diet_core.store.loading.runs import RunRecord
from pages.parts.retrain.words import BUDGETS, CHOICES
from pages.shared.widgets import one_of

MAX_REPEATS: Final = 20
MAX_CURVE: Final = 200

_REPEATS_HELP = "Trainings per arm, each with its own seed. Three show the spread, one cannot tell chance."
_EPOCHS_HELP = "Passes over the training examples. At first as many as the scoring run made."
_BUDGET_HELP = (
    "Equal epochs: every arm sees its own examples equally often, so fewer examples mean less training. "
    "Equal steps: every arm takes as many optimizer steps as all examples would take."
)
_CHOICE_HELP = (
    "Which evaluation gives a training's result. The last evaluation chooses nothing. Held-out: a tenth of "
    "the training examples is set aside to choose by. Best on the test split chooses by the very examples "
    "that it reports, which flatters every arm; the paper did so."
)
_CURVE_HELP = (
    "How often a training is evaluated on the test split, equally spaced over its steps: the points of the "
    "learning curves. 0 evaluates after each epoch."
)
_REUSE_HELP = (
    "Identical trainings are reused: those that another run here has finished with the same examples, "
    "settings and seed on this machine. Off: everything is trained."
)


@dataclass(frozen=True)
class Terms:
    """What all arms have in common, named as in `experiments.plan.Plan`, and whether trainings are reused."""

    repeats: int
    epochs: int
    budget: str
    choose: str
    curve: int
    reuse: bool = False


def chosen_terms(run: RunRecord, more: DeltaGenerator) -> Terms:
    """Draw the settings that all arms share and return them.

    Args:
        run: The scoring run.
        more: Takes what is seldom changed.
    """
    columns = st.columns([2, 2, 5])
    epochs = run.config.settings.epochs
    repeats = columns[0].number_input("Repeats", 1, MAX_REPEATS, 3, key="repeats", help=_REPEATS_HELP)
    passes = columns[1].number_input("Epochs", 1, max(50, epochs), epochs, key="epochs", help=_EPOCHS_HELP)
    with columns[2]:
        budget = one_of("Budget", BUDGETS, "budget", help=_BUDGET_HELP)
    with more:
        choose = st.radio(
            "Which epoch counts",
            list(CHOICES),
            format_func=lambda name: CHOICES[name][0],
            key="choose",
            help=_CHOICE_HELP,
        )
        curve = st.number_input("Evaluations per training", 0, MAX_CURVE, 0, key="curve", help=_CURVE_HELP)
        reuse = st.toggle("Reuse identical trainings", key="reuse", help=_REUSE_HELP)
    return Terms(int(repeats), int(passes), budget, choose, int(curve), reuse)
