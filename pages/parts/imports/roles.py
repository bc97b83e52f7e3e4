"""Which column plays which part: guessed, then confirmed by the person."""

from __future__ import annotations

import streamlit as st

from diet_core.data.formats.source import SPLIT_COLUMN
from diet_core.data.preview import Preview
from diet_core.dataset import Roles

_PARTS = {
    "text": ("Text", "The text, or the first text of a pair."),
    "label": ("Label", "The class of each text."),
    "text_pair": ("Second text", "For pairs of texts, such as premise and hypothesis."),
    "id": ("Id", "A value that differs in every row. Without one, ids are made from the texts."),
    "split": ("Split", "Says train, validation or test. Without one, about a tenth is held out as test."),
}
_REQUIRED = ("text", "label")


def confirmed_roles(preview: Preview, key: str) -> Roles | None:
    """Draw a box per part, filled with the guess; None until text and label are chosen.

    Args:
        preview: Of the source.
        key: Of the source, so that another one starts with its own guess.
    """
    chosen: dict[str, str | None] = {}
    for (part, (title, meaning)), column in zip(_PARTS.items(), st.columns(len(_PARTS)), strict=True):
        options = [name for name in preview.columns if name != SPLIT_COLUMN]
        guess = getattr(preview.roles, part)
        with column:
            chosen[part] = st.selectbox(
                title,
                options,
                index=options.index(guess) if guess in options else None,
                placeholder="Choose a column" if part in _REQUIRED else "None",
                key=f"role {part} {key}",
                help=meaning,
                required=part in _REQUIRED,
            )
    text, label = chosen["text"], chosen["label"]
    if text is None or label is None:
        return None
    return Roles(
        text=text, label=label, text_pair=chosen["text_pair"], id=chosen["id"], split=chosen["split"]
    )
