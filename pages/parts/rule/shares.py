"""A share of a rule: a slider with a number beside it."""

from __future__ import annotations

import streamlit as st

from pages.shared.address import initial_value, widget_key, write_url

DIGITS = 4  # of a share: a hundredth of a percent


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
    # The number has the last word: it is not bound to the slider's steps.
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
