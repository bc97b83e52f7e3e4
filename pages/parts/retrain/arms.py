"""What is trained: this rule in one or two ways, or a sweep over shares; beside its baselines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from diet_core.encoders import FROZEN
from diet_core.errors import SettingError
from diet_core.store.queries.examples import list_available_scores
from diet_core.tables import SCORES

if TYPE_CHECKING:
    from diet_core.experiments.arms import Arm
    from diet_core.rule import Rule
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

BASELINES: Final = {"random": "Random, same size", "full": "All examples"}
PRUNING: Final = {"static": "Static", "dynamic": "Dynamic", "both": "Both"}
_WAYS: Final = {"static": ("static",), "dynamic": ("dynamic",), "both": ("static", "dynamic")}
WHAT: Final = {"rule": "This rule", "sweep": "Sweep"}
KEEPS: Final = (10, 20, 30, 40, 50, 60, 70, 80, 90)  # percent, of the paper's Figure 3
DROPS: Final = (0, 1, 2, 4, 6, 8, 10)  # percent, around its Figure 4

_WHAT_HELP = (
    "This rule: the selection that is shown above. Sweep: one arm for each score, share to keep and share to "
    "drop, as in the paper's Figures 3 and 4."
)
_BASELINES_HELP = (
    "Random: as many examples as the selection, drawn afresh for each repeat (per class if the rule is). "
    "Without it nobody can say whether the score chose well or fewer examples were simply enough."
)
_PRUNING_HELP = (
    "Static: the rule is applied once, before the training, by this run's scores. Dynamic: the training "
    "starts on everything, scores its examples while it goes, and every some steps goes on with those that "
    "the rule keeps (Attendu & Corbeil 2023); it takes as many steps as static pruning. Of decisions, drop "
    "and relabel count there."
)
_KEEPS_HELP = "Shares of the training examples kept from the hard end, in percent. Others can be typed in."
_DROPS_HELP = "Shares of all training examples then taken from the very top, in percent; 0 takes none."


def chosen_arms(store: Store, run: RunRecord, rule: Rule) -> tuple[Arm, ...]:
    """Draw what can be trained and return the arms.

    Raises:
        SettingError: If they cannot be.
    """
    from diet_core.experiments.arms import standard_arms

    with st.container(horizontal=True, gap="medium"):
        chosen = st.segmented_control(
            "Train on",
            list(WHAT),
            default="rule",
            required=True,
            format_func=WHAT.__getitem__,
            key="train on",
            help=_WHAT_HELP,
        )
        ways = _pruning(run) if chosen == "rule" else ()
        baselines = _baselines()
    if chosen == "sweep":
        return _sweep(store, run, rule, baselines)
    return standard_arms(rule, baselines, ways)


def _baselines() -> tuple[str, ...]:
    chosen = st.pills(
        "Baselines",
        list(BASELINES),
        selection_mode="multi",
        default=list(BASELINES),
        format_func=BASELINES.__getitem__,
        key="baselines",
        help=_BASELINES_HELP,
    )
    return tuple(name for name in ("full", "random") if name in chosen)


def _pruning(run: RunRecord) -> tuple[str, ...]:
    is_frozen = run.encoder == FROZEN
    pruning = st.segmented_control(
        "Pruning",
        list(PRUNING),
        default="static",
        required=True,
        format_func=PRUNING.__getitem__,
        key="pruning",
        disabled=is_frozen,
        help="Heads on a frozen encoder train in seconds: only static." if is_frozen else _PRUNING_HELP,
    )
    return _WAYS[pruning or "static"]


def _sweep(store: Store, run: RunRecord, rule: Rule, baselines: Sequence[str]) -> tuple[Arm, ...]:
    from diet_core.experiments.arms import sweep_arms

    columns = st.columns(3)
    there = list_available_scores(store, run.run_id)
    first = [name for name in ("el2n", "grand") if name in there] or there[:1]
    by = columns[0].multiselect(
        "Scores", there, first, format_func=lambda name: SCORES[name].title, key="sweep scores"
    )
    keeps = columns[1].multiselect(
        "Keep, percent",
        [str(n) for n in KEEPS],
        ["30", "50", "70", "90"],
        key="sweep keeps",
        accept_new_options=True,
        help=_KEEPS_HELP,
    )
    drops = columns[2].multiselect(
        "Drop hardest, percent",
        [str(n) for n in DROPS],
        ["0"],
        key="sweep drops",
        accept_new_options=True,
        help=_DROPS_HELP,
    )
    shares = shares_of(keeps, "Keep"), shares_of(drops, "Drop hardest")
    return sweep_arms(by, *shares, per_class=rule.per_class, baselines=baselines)


def shares_of(percents: Sequence[str], what: str) -> list[float]:
    """Return shares that were typed in percent, the smallest first, each once.

    Args:
        percents: Like `30` or `12.5 %`.
        what: The field's name, for the message.

    Raises:
        SettingError: If one is no number.

    >>> shares_of(["70", "12.5 %", "70"], "Keep")
    [0.125, 0.7]
    """
    found = {text: re.fullmatch(r"\s*(\d{1,3}(?:[.,]\d{1,9})?)\s*%?\s*", text, re.ASCII) for text in percents}
    if odd := [text for text, match in found.items() if match is None]:
        raise SettingError(f"{what} has {odd[0]!r}, which is no percentage. Type a number like 12.5.")
    numbers = {match[1].replace(",", ".") for match in found.values() if match}
    return sorted(round(float(number) / 100, 12) for number in numbers)
