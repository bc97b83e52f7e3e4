"""What is trained: this rule in one or two ways, or a sweep over shares; beside its baselines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from diet_core.encoders import FROZEN
from diet_core.errors import SettingError
from diet_core.experiments.arms import Arm, standard_arms, sweep_arms
from diet_core.rule import Rule
from diet_core.store.loading.runs import RunRecord
from diet_core.store.queries.examples import list_available_scores
from diet_core.tables import SCORES
from pages.shared.widgets import one_of

if TYPE_CHECKING:
    from diet_core.store.store import Store

BASELINES: Final = {"random": "Random, same size", "full": "All examples"}
PRUNING: Final = {"static": "Static", "dynamic": "Dynamic", "both": "Both"}
WHAT: Final = {"rule": "This rule", "sweep": "Sweep"}
KEEPS: Final = ("10", "20", "30", "40", "50", "60", "70", "80", "90")  # percent, of the paper's Figure 3
DROPS: Final = ("0", "1", "2", "4", "6", "8", "10")  # percent, around its Figure 4

_WHAT_HELP = (
    "This rule: the selection that is shown above. Sweep: one arm for each score, share to keep and share to "
    "drop, as in the paper's Figures 3 and 4."
)
_BASELINES_HELP = (
    "Random: as many examples as the selection, drawn again for each repeat (per class if the rule is). "
    "Without it nobody can say whether the score chose well or fewer examples were simply enough."
)
_PRUNING_HELP = (
    "Static: the rule is applied once, before the training, by this run's scores. Dynamic: the training "
    "starts on all examples, scores them as it goes and re-selects every N steps by the rule (Attendu & "
    "Corbeil 2023); it takes as many steps as static pruning. Of the decisions only drop and relabel apply."
)
_FROZEN_HELP = "Heads on a frozen encoder train in seconds: only static."
_KEEPS_HELP = "Shares of the training examples kept from the hard end, in percent. Others can be typed in."
_DROPS_HELP = "Shares of all training examples then dropped from the very top, in percent; 0 drops none."


def chosen_arms(store: Store, run: RunRecord, rule: Rule) -> tuple[Arm, ...]:
    """Draw what can be trained and return the arms.

    Raises:
        SettingError: If they cannot be trained.
    """
    with st.container(horizontal=True, gap="medium"):
        is_sweep = one_of("Train on", WHAT, "train on", help=_WHAT_HELP) == "sweep"
        ways = () if is_sweep else _pruning(run)
        chosen = st.pills(
            "Baselines",
            list(BASELINES),
            selection_mode="multi",
            default=list(BASELINES),
            format_func=BASELINES.__getitem__,
            key="baselines",
            help=_BASELINES_HELP,
        )
        baselines = tuple(name for name in ("full", "random") if name in chosen)
    return _sweep(store, run, rule, baselines) if is_sweep else standard_arms(rule, baselines, ways)


def _pruning(run: RunRecord) -> tuple[str, ...]:
    is_frozen = run.encoder == FROZEN
    help = _FROZEN_HELP if is_frozen else _PRUNING_HELP
    pruning = one_of("Pruning", PRUNING, "pruning", help=help, disabled=is_frozen)
    return ("static", "dynamic") if pruning == "both" else (pruning,)


def _sweep(store: Store, run: RunRecord, rule: Rule, baselines: Sequence[str]) -> tuple[Arm, ...]:
    columns = st.columns(3)
    there = list_available_scores(store, run.run_id)
    first = [name for name in ("el2n", "grand") if name in there] or there[:1]
    by = columns[0].multiselect(
        "Scores", there, first, format_func=lambda name: SCORES[name].title, key="sweep scores"
    )
    usual = ["30", "50", "70", "90"]
    keeps = columns[1].multiselect(
        "Keep, percent", KEEPS, usual, key="sweep keeps", accept_new_options=True, help=_KEEPS_HELP
    )
    drops = columns[2].multiselect(
        "Drop hardest, percent", DROPS, ["0"], key="sweep drops", accept_new_options=True, help=_DROPS_HELP
    )
    shares = shares_of(keeps, "Keep"), shares_of(drops, "Drop hardest")
    return sweep_arms(by, *shares, per_class=rule.per_class, baselines=baselines)


def shares_of(percents: Sequence[str], what: str) -> list[float]:
    """Return shares that were typed in percent, the smallest first, each once.

    Args:
        percents: Like `30` or `12.5 %`.
        what: The field's name, for the message.

    Raises:
        SettingError: If one is not a number.

    >>> shares_of(["70", "12.5 %", "70"], "Keep")
    [0.125, 0.7]
    """
    shares = set()
    for text in percents:
        match = re.fullmatch(r"\s*(\d{1,3}(?:[.,]\d{1,9})?)\s*%?\s*", text, re.ASCII)
        if match is None:
            raise SettingError(f"{what} has {text!r}, which is not a percentage. Type a number like 12.5.")
        shares.add(round(float(match[1].replace(",", ".")) / 100, 12))
    return sorted(shares)
