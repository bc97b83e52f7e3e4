"""The controls of a rule: score, keep, drop hardest, per class, decisions. All of it stays in the address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.config import Rule
from diet_core.errors import SettingError
from pages.shared.errors import plain
from pages.shared.pickers import picked_score

if TYPE_CHECKING:
    from diet_core.store import RunRecord, Store

DEFAULT = Rule()
EVERYTHING = Rule(keep=1.0, drop_hardest=0.0)
DIGITS = 4  # of a share: a hundredth of a percent

_KEEP_HELP = (
    "Share of the training examples that is kept from the hard end of the ranking. The easiest go. "
    "In the paper, keeping the hardest 70 % trained as well as all (Fayyaz et al. 2022, Fig. 3)."
)
_DROP_HELP = (
    "Share of all training examples that is then taken from the very top: the hardest ones, among them many "
    "that are labelled wrong. Keep 70 % and drop 4 % leaves 66 %, the paper's best point on MNLI (Fig. 4)."
)
_CLASS_HELP = "Apply both shares within each class, so that the classes keep their proportions."
_DECISIONS_HELP = (
    "Decisions of reviewers beat the rule: keep stays, drop goes, relabel stays with its new label."
)


def chosen_rule(store: Store, run: RunRecord, page: str, default: Rule = DEFAULT) -> Rule:
    """Draw the controls of a rule and return it; a rule that cannot be is told here and ends the page.

    Args:
        store: Where the run is.
        run: The run that ranks.
        page: Part of the widgets' keys, so that each page reads the address for itself.
        default: What the controls show at first.
    """
    by = picked_score(store, run)
    keep = _share("Keep", page, "keep", default.keep, help=_KEEP_HELP)
    drop_hardest = _share("Drop hardest", page, "drop", default.drop_hardest, help=_DROP_HELP)
    per_class = switch("Per class", page, "per_class", default.per_class, help=_CLASS_HELP)
    with told_here():
        return Rule(by=by, keep=keep, drop_hardest=drop_hardest, per_class=per_class)


@contextmanager
def told_here() -> Iterator[None]:
    """Tell of a rule that cannot be, here and not at the foot of the page, and end the page."""
    try:
        yield
    except SettingError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.stop()


def chosen_decisions(n_decisions: int, page: str) -> bool:
    """Draw the switch that applies decisions and return whether it is on."""
    return switch(f"Apply decisions ({n_decisions:,})", page, "decisions", True, help=_DECISIONS_HELP)


def switch(label: str, page: str, key: str, default: bool, *, help: str) -> bool:
    """Draw a switch whose state stays in the address, and return it."""
    widget = f"{page} {key}"
    shown = _at_first(key, widget, {"1": True, "0": False}.__getitem__, default)
    is_on = st.toggle(label, shown, key=widget, help=help)
    _remember(key, str(int(is_on)), str(int(default)))
    return is_on


def _share(label: str, page: str, key: str, default: float, *, help: str) -> float:
    """Draw a share as a slider with a number beside it; either moves the other."""
    slider, number = f"{page} {key} slider", f"{page} {key} number"
    shown = _at_first(key, number, _parsed_percent, 100 * default)
    # Streamlit minds a first value beside one that a callback has just set.
    is_moved = st.session_state.pop(f"{number} moved", False)
    columns = st.columns([5, 3], vertical_alignment="bottom")
    columns[0].slider(
        label,
        0.0,
        1.0,
        None if is_moved else round(shown / 100, DIGITS),
        step=0.01,
        format="percent",
        key=slider,
        help=help,
        on_change=_move,
        args=[slider, number, 100],
    )
    columns[1].number_input(
        f"{label}, percent",
        0.0,
        100.0,
        "min" if is_moved else round(shown, DIGITS - 2),
        step=1.0,
        format="%.4g",
        key=number,
        label_visibility="collapsed",
        on_change=_move,
        args=[number, slider, 0.01],
    )
    # The number has the last word: it is not bound to the slider's steps.
    share = round(float(st.session_state[number]) / 100, DIGITS)
    _remember(key, f"{share:g}", f"{default:g}")
    return share


def _move(widget: str, other: str, factor: float) -> None:
    """Let the other widget of a share follow the one that was moved."""
    st.session_state[other] = round(factor * st.session_state[widget], DIGITS)
    for name in (widget, other):
        if name.endswith("number"):
            st.session_state[f"{name} moved"] = True


def _parsed_percent(text: str) -> float:
    share = round(float(text), DIGITS)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return 100 * share


def _at_first(key: str, widget: str, parse: Callable[[str], Any], default: Any) -> Any:
    """Return what a widget shows when it is drawn: its state, else what the address says, else the default.

    It is given to the widget as its first value, not set in the session: a run that is cut short (the
    browser asks for another one) would leave a state behind that the browser has never heard of.
    """
    if widget in st.session_state:
        return st.session_state[widget]
    named = st.query_params.get(key)
    try:
        return default if named is None else parse(named)
    except (ValueError, KeyError):
        st.warning(
            f"{key}={plain(str(named))} of the address means nothing here.", icon=":material/link_off:"
        )
        return default


def _remember(key: str, value: str, default: str) -> None:
    """Keep a value in the address; a default needs no words there."""
    if value != default:
        if st.query_params.get(key) != value:
            st.query_params[key] = value
    elif key in st.query_params:
        del st.query_params[key]


def rule_address(run: RunRecord, rule: Rule, with_decisions: bool) -> dict[str, str]:
    """Return the query of a page that shows the same rule."""
    return {
        "run": run.run_id,
        "score": rule.by,
        "keep": f"{rule.keep:g}",
        "drop": f"{rule.drop_hardest:g}",
        "per_class": str(int(rule.per_class)),
        "decisions": str(int(with_decisions)),
    }
