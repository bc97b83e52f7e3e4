"""Widgets whose state stays in the address: what they show at first, and what they leave there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.shared.errors import plain

_GENERATION = "generation of the rule's controls"


def widget_key(page: str, name: str) -> str:
    """Return the key of a page's widget; another one after `start_anew`."""
    generation = st.session_state.get(_GENERATION, 0)
    return f"{page} {name}" + (f" {generation}" if generation else "")


def start_anew() -> None:
    """Let all these widgets begin again with what the address says: the browser has not heard of them yet."""
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1


def at_first(key: str, widget: str, parse: Callable[[str], Any], default: Any) -> Any:
    """Return what a widget shows when it is drawn: its state, else what the address says, else the default.

    It is given to the widget as its first value, not set in the session: a run that is cut short (the
    browser asks for another one) would leave a state behind that the browser has never heard of.
    """
    return st.session_state[widget] if widget in st.session_state else named(key, parse, default)


def named(key: str, parse: Callable[[str], Any], default: Any) -> Any:
    """Return what the address says, the default where it says nothing or what means nothing."""
    text = st.query_params.get(key)
    try:
        return default if text is None else parse(text)
    except (ValueError, KeyError):
        st.warning(f"{key}={plain(str(text))} of the address means nothing here.", icon=":material/link_off:")
        return default


def remember(key: str, value: str, default: str) -> None:
    """Keep a value in the address; a default needs no words there."""
    if value != default:
        if st.query_params.get(key) != value:
            st.query_params[key] = value
    else:
        forget(key)


def forget(*keys: str) -> None:
    """Take what other controls left out of the address."""
    for key in keys:
        if key in st.query_params:
            del st.query_params[key]


def switch(label: str, page: str, key: str, default: bool, *, help: str) -> bool:
    """Draw a switch whose state stays in the address, and return it."""
    widget = widget_key(page, key)
    shown = at_first(key, widget, {"1": True, "0": False}.__getitem__, default)
    is_on = st.toggle(label, shown, key=widget, help=help)
    remember(key, str(int(is_on)), str(int(default)))
    return is_on
