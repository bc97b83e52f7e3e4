"""When the examples are scored, and of which parameters GraNd takes the gradient."""

from __future__ import annotations

import streamlit as st

from diet_core.tables import GRAND_SCOPES

_LAST, _EPOCHS, _EVERY, _THESE = "Last step only", "After each epoch", "Every N steps", "At these steps"
_STEPS_HELP = (
    "Each score step is a pass over the training examples more, per seed. Several are needed for "
    "forgetting and variability. Steps before the end of the first epoch are unreliable."
)
_SCOPE_HELP = (
    "Of which parameters GraNd takes the gradient: "
    + "; ".join(f"{name} = {meaning}" for name, meaning in GRAND_SCOPES.items())
    + ". classifier is the paper's and costs nothing; with DeBERTa and MPNet the others take very long."
)


def chosen_steps() -> str:
    """Draw the choice of score steps and return it as `config.resolved_steps` takes it."""
    choice, detail = st.columns(2, vertical_alignment="bottom")
    kind = choice.selectbox("Score at", [_LAST, _EPOCHS, _EVERY, _THESE], key="score at", help=_STEPS_HELP)
    if kind == _EVERY:
        every = detail.number_input("Every so many steps", min_value=1, value=100, key="score every")
        return f"every:{every}"
    if kind == _THESE:
        steps = detail.text_input(
            "Steps", "0", key="score steps", help="With commas, like 0, 100, 200; 0 is before training."
        )
        return steps or ""
    return {_LAST: "last", _EPOCHS: "epochs"}[kind]


def chosen_scope() -> str:
    """Draw the choice of GraNd's scope and return its name."""
    scope: str = st.selectbox("GraNd of", list(GRAND_SCOPES), key="grand", help=_SCOPE_HELP)
    return scope
