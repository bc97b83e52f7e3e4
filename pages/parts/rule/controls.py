"""The controls of a rule: its kind, what the kind asks for, decisions. All of it is kept in the URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import streamlit as st

from diet_core.errors import SettingError
from diet_core.rule import Rule
from diet_core.store.loading.runs import RunRecord
from pages.parts.rule.ranges import chosen_limits, chosen_window
from pages.shared.address import clear_url, initial_value, switch, widget_key, write_url
from pages.shared.errors import plain
from pages.shared.pickers import picked_score

if TYPE_CHECKING:
    from diet_core.store.store import Store

DEFAULT = Rule()
EVERYTHING = Rule(keep=1.0, drop_hardest=0.0)
DIGITS: Final = 4  # of a share: a hundredth of a percent
MAX_DRAW: Final = 2**53 - 1  # what a browser counts exactly
KINDS: Final = {"shares": "Shares", "window": "Window", "random": "Random", "auto": "Auto size"}
# The URL parameters of a rule, and those that each kind has.
IN_URL: Final = ("kind", "score", "keep", "drop", "per_class", "low", "high", "draw")
_OF_KIND: Final = {
    "shares": ("score", "keep", "drop", "per_class"),
    "window": ("kind", "score", "low", "high"),
    "random": ("kind", "keep", "draw", "per_class"),
    "auto": ("kind", "low", "high"),
}

_KIND_HELP = (
    "Shares: the ranking from rank to rank. Window: the score from value to value. Random: any examples, as "
    "a baseline. Auto size: without the examples that are always or never predicted correctly."
)
_KEEP_HELP = (
    "Share of the training examples that is kept from the hard end of the ranking. The easiest are dropped. "
    "In the paper, keeping the hardest 70 % trained as well as all (Fayyaz et al. 2022, Fig. 3)."
)
_DROP_HELP = (
    "Share of all training examples that is then dropped from the very top: the hardest ones, among them "
    "many that are labelled wrong. Keep 70 % and drop 4 % keep 66 %, the paper's best on MNLI (Fig. 4)."
)
_RANDOM_HELP = "Share of the training examples that is drawn at random; the score plays no part."
_DRAW_HELP = "The random seed: the same number draws the same examples on every machine."
_CLASS_HELP = "Apply the shares within each class, so that the classes keep their proportions."
_DECISIONS_HELP = (
    "Decisions of reviewers come before the rule: keep and relabel keep an example (relabel with its new "
    "label), drop drops it."
)


def chosen_rule(store: Store, run: RunRecord, page: str, kind: str, default: Rule = DEFAULT) -> Rule:
    """Draw the controls of a rule and return it; for a rule that is not valid the page says so and ends.

    Args:
        store: Where the run is.
        run: The run that ranks.
        page: Part of the widgets' keys, so that each page reads the URL for itself.
        kind: One of `KINDS`.
        default: What the controls show at first.
    """
    clear_url(*(name for name in IN_URL if name not in _OF_KIND[kind]))
    with show_errors():
        return _CONTROLS[kind](store, run, page, default)


def chosen_kind(page: str) -> str:
    """Draw the kinds of rules and return the chosen one."""
    widget = widget_key(page, "kind")
    shown = initial_value("kind", widget, {name: name for name in KINDS}.__getitem__, "shares")
    kind = st.segmented_control(
        "Rule",
        list(KINDS),
        default=None if widget in st.session_state else shown,
        format_func=KINDS.__getitem__,
        required=True,
        key=widget,
        help=_KIND_HELP,
        width="content",
        wrap=True,
    )
    chosen = kind or "shares"
    write_url("kind", chosen, "shares")
    return chosen


def _shares(store: Store, run: RunRecord, page: str, default: Rule) -> Rule:
    by = picked_score(store, run)
    keep = chosen_share("Keep", page, "keep", default.keep, help=_KEEP_HELP)
    drop_hardest = chosen_share("Drop hardest", page, "drop", default.drop_hardest, help=_DROP_HELP)
    per_class = switch("Per class", page, "per_class", default.per_class, help=_CLASS_HELP)
    return Rule(by=by, keep=keep, drop_hardest=drop_hardest, per_class=per_class)


def _window(store: Store, run: RunRecord, page: str, default: Rule) -> Rule:
    by = picked_score(store, run)
    low, high = chosen_window(store, run, by, page)
    return Rule(kind="window", by=by, low=low, high=high)


def _random(store: Store, run: RunRecord, page: str, default: Rule) -> Rule:
    keep = chosen_share("Keep", page, "keep", default.keep, help=_RANDOM_HELP)
    widget = widget_key(page, "draw")
    first = initial_value("draw", widget, int, 0)
    seed = int(st.number_input("Draw", 0, MAX_DRAW, first, key=widget, help=_DRAW_HELP))
    write_url("draw", str(seed), "0")
    per_class = switch("Per class", page, "per_class", default.per_class, help=_CLASS_HELP)
    return Rule(kind="random", keep=keep, per_class=per_class, seed=seed)


def _auto(store: Store, run: RunRecord, page: str, default: Rule) -> Rule:
    low, high = chosen_limits(store, run, page)
    return Rule(kind="auto", low=low, high=high)


_CONTROLS: Final[dict[str, Callable[[Store, RunRecord, str, Rule], Rule]]] = {
    "shares": _shares,
    "window": _window,
    "random": _random,
    "auto": _auto,
}


@contextmanager
def show_errors() -> Iterator[None]:
    """Show a setting that is not valid where it was made, not at the foot of the page, and end the page."""
    try:
        yield
    except SettingError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.stop()


def chosen_decisions(n_decisions: int, page: str) -> bool:
    """Draw the switch that applies decisions and return whether it is on."""
    return switch(f"Apply decisions ({n_decisions:,})", page, "decisions", True, help=_DECISIONS_HELP)


def rule_address(run: RunRecord, rule: Rule, with_decisions: bool) -> dict[str, str]:
    """Return the query of a page that shows the same rule."""
    low, high = ("" if end is None else f"{end:.6g}" for end in (rule.low, rule.high))
    texts = {
        "kind": rule.kind,
        "score": rule.by,
        "keep": f"{rule.keep:g}",
        "drop": f"{rule.drop_hardest:g}",
        "per_class": str(int(rule.per_class)),
        "low": low,
        "high": high,
        "draw": str(rule.seed),
    }
    of_rule = {name: texts[name] for name in _OF_KIND[rule.kind] if texts[name]}
    return {"run": run.run_id, **of_rule, "decisions": str(int(with_decisions))}


def chosen_share(label: str, page: str, key: str, default: float, *, help: str) -> float:
    """Draw a share as a slider with a number beside it; either moves the other."""
    slider, number = widget_key(page, f"{key} slider"), widget_key(page, f"{key} number")
    shown = initial_value(key, number, _parsed_percent, 100 * default)
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
        args=[slider, number, number, 100],
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
        args=[number, slider, number, 0.01],
    )
    # The number counts: it is not bound to the slider's steps.
    share = round(float(st.session_state[number]) / 100, DIGITS)
    write_url(key, f"{share:g}", f"{default:g}")
    return share


def _move(widget: str, other: str, number: str, factor: float) -> None:
    """Let the other widget of a share follow the one that was moved."""
    st.session_state[other] = round(factor * st.session_state[widget], DIGITS)
    st.session_state[f"{number} moved"] = True


def _parsed_percent(text: str) -> float:
    share = round(float(text), DIGITS)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return 100 * share
