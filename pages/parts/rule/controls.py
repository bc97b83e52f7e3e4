"""The controls of a rule: its kind, what the kind asks for, decisions. All of it stays in the address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import streamlit as st

from diet_core.config import Rule
from diet_core.errors import SettingError
from pages.parts.rule.ranges import chosen_limits, chosen_window
from pages.parts.rule.shares import chosen_share
from pages.shared.address import clear_url, initial_value, switch, widget_key, write_url
from pages.shared.errors import plain
from pages.shared.pickers import picked_score

if TYPE_CHECKING:
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

DEFAULT = Rule()
EVERYTHING = Rule(keep=1.0, drop_hardest=0.0)
MAX_DRAW: Final = 2**53 - 1  # what a browser counts exactly
KINDS: Final = {"shares": "Shares", "window": "Window", "random": "Random", "auto": "Auto size"}

_KIND_HELP = (
    "Shares: the ranking from rank to rank. Window: the score from value to value. Random: any examples, to "
    "compare with. Auto size: without the examples that are always or never predicted right."
)
_KEEP_HELP = (
    "Share of the training examples that is kept from the hard end of the ranking. The easiest go. "
    "In the paper, keeping the hardest 70 % trained as well as all (Fayyaz et al. 2022, Fig. 3)."
)
_DROP_HELP = (
    "Share of all training examples that is then taken from the very top: the hardest ones, among them many "
    "that are labelled wrong. Keep 70 % and drop 4 % leaves 66 %, the paper's best point on MNLI (Fig. 4)."
)
_RANDOM_HELP = "Share of the training examples that is drawn at random; the score has no say."
_DRAW_HELP = "Another number draws other examples; the same one draws the same ones on every machine."
_CLASS_HELP = "Apply the shares within each class, so that the classes keep their proportions."
_DECISIONS_HELP = (
    "Decisions of reviewers beat the rule: keep stays, drop goes, relabel stays with its new label."
)


def chosen_rule(store: Store, run: RunRecord, page: str, kind: str, default: Rule = DEFAULT) -> Rule:
    """Draw the controls of a rule and return it; a rule that cannot be is told here and ends the page.

    Args:
        store: Where the run is.
        run: The run that ranks.
        page: Part of the widgets' keys, so that each page reads the address for itself.
        kind: One of `KINDS`.
        default: What the controls show at first.
    """
    with told_here():
        return _OF_KIND[kind](store, run, page, default)


def chosen_kind(page: str) -> str:
    """Draw the kinds of rules and return the chosen one; it stays in the address."""
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
    clear_url("low", "high", "draw")
    by = picked_score(store, run)
    keep = chosen_share("Keep", page, "keep", default.keep, help=_KEEP_HELP)
    drop_hardest = chosen_share("Drop hardest", page, "drop", default.drop_hardest, help=_DROP_HELP)
    per_class = switch("Per class", page, "per_class", default.per_class, help=_CLASS_HELP)
    return Rule(by=by, keep=keep, drop_hardest=drop_hardest, per_class=per_class)


def _window(store: Store, run: RunRecord, page: str, default: Rule) -> Rule:
    clear_url("keep", "drop", "per_class", "draw")
    by = picked_score(store, run)
    low, high = chosen_window(store, run, by, page)
    return Rule(kind="window", by=by, low=low, high=high)


def _random(store: Store, run: RunRecord, page: str, default: Rule) -> Rule:
    clear_url("score", "low", "high", "drop")
    keep = chosen_share("Keep", page, "keep", default.keep, help=_RANDOM_HELP)
    widget = widget_key(page, "draw")
    first = initial_value("draw", widget, int, 0)
    seed = int(st.number_input("Draw", 0, MAX_DRAW, first, key=widget, help=_DRAW_HELP))
    write_url("draw", str(seed), "0")
    per_class = switch("Per class", page, "per_class", default.per_class, help=_CLASS_HELP)
    return Rule(kind="random", keep=keep, per_class=per_class, seed=seed)


def _auto(store: Store, run: RunRecord, page: str, default: Rule) -> Rule:
    clear_url("score", "keep", "drop", "per_class", "draw")
    low, high = chosen_limits(store, run, page)
    return Rule(kind="auto", low=low, high=high)


_OF_KIND: Final[dict[str, Callable[[Store, RunRecord, str, Rule], Rule]]] = {
    "shares": _shares,
    "window": _window,
    "random": _random,
    "auto": _auto,
}


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


def rule_address(run: RunRecord, rule: Rule, with_decisions: bool) -> dict[str, str]:
    """Return the query of a page that shows the same rule."""
    return {
        "run": run.run_id,
        **_ADDRESS[rule.kind](rule),
        "decisions": str(int(with_decisions)),
    }


def _shares_address(rule: Rule) -> dict[str, str]:
    shares = {"keep": f"{rule.keep:g}", "drop": f"{rule.drop_hardest:g}"}
    return {"score": rule.by, **shares, "per_class": str(int(rule.per_class))}


def _random_address(rule: Rule) -> dict[str, str]:
    of_draw = {"draw": str(rule.seed), "per_class": str(int(rule.per_class))}
    return {"kind": "random", "keep": f"{rule.keep:g}", **of_draw}


def _limits_address(rule: Rule) -> dict[str, str]:
    ends = {"low": rule.low, "high": rule.high}
    of_score = {} if rule.kind == "auto" else {"score": rule.by}
    return {"kind": rule.kind, **of_score} | {k: f"{v:.6g}" for k, v in ends.items() if v is not None}


_ADDRESS: Final = {
    "shares": _shares_address,
    "window": _limits_address,
    "random": _random_address,
    "auto": _limits_address,
}
