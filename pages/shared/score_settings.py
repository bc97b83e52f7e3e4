"""The settings of a scoring run, with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.config import TrainingConfig

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_DEFAULTS = TrainingConfig()
_DEVICES = ["auto", "cpu", "cuda", "mps"]
_PRECISIONS = ["auto", "float32", "bf16"]


@dataclass(frozen=True)
class ScoreSettings:
    """What the user chose.

    Attributes:
        training: Of each training.
        seeds: How many trainings.
        keep_models: Whether their weights are kept.
    """

    training: TrainingConfig
    seeds: int
    keep_models: bool


def chosen_settings(columns: Sequence[DeltaGenerator]) -> ScoreSettings:
    """Draw the settings and return what was chosen.

    Args:
        columns: Three, for model, seeds and epochs; the rest comes below, folded.

    Raises:
        SettingError: If a value is out of range.
    """
    model, seeds, epochs = columns
    with model:
        name = st.text_input(
            "Model",
            _DEFAULTS.model,
            key="model",
            help="minilm is the embedded default and needs no network. With a network, any encoder of the "
            "Hugging Face hub, such as google-bert/bert-base-uncased.",
        )
    with seeds:
        n_seeds = st.number_input(
            "Seeds",
            min_value=1,
            max_value=50,
            value=5,
            key="seeds",
            help="One training each; scores are the mean over seeds. The paper takes 5, 3 are nearly as "
            "reliable, with 1 nothing is known of the spread.",
        )
    with epochs:
        n_epochs = st.number_input(
            "Epochs",
            min_value=1,
            max_value=1000,
            value=_DEFAULTS.epochs,
            key="epochs",
            help="Passes over the training examples. The paper's scores are taken after about one.",
        )
    more = _more_settings()
    keep_models = bool(more.pop("keep_models"))
    training = TrainingConfig(model=(name or "").strip() or _DEFAULTS.model, epochs=int(n_epochs), **more)
    return ScoreSettings(training, int(n_seeds), keep_models)


def _more_settings() -> dict[str, object]:
    """Draw what is rarely changed."""
    with st.expander("More settings", icon=":material/tune:"):
        first = st.columns(3)
        batch_size = first[0].number_input(
            "Batch size",
            min_value=1,
            max_value=1024,
            value=_DEFAULTS.batch_size,
            key="batch size",
            help="Examples per optimizer step; 32 as in the paper.",
        )
        lr = first[1].number_input(
            "Learning rate",
            min_value=0.0,
            max_value=0.99,
            value=None,
            step=1e-5,
            format="%g",
            placeholder="By the model's width",
            key="lr",
            help="The peak of AdamW's. Without one: 2e-4 for small models such as minilm, 3e-5 (the paper's) "
            "for base-sized ones.",
        )
        max_length = first[2].number_input(
            "Longest text, in tokens",
            min_value=8,
            max_value=8192,
            value=_DEFAULTS.max_length,
            key="max length",
            help="Longer texts (or pairs) are cut. More takes more time only for texts that are longer.",
        )
        second = st.columns(3, vertical_alignment="bottom")
        device = second[0].selectbox(
            "Device", _DEVICES, key="device", help="auto takes a GPU where there is one."
        )
        precision = second[1].selectbox(
            "Precision",
            _PRECISIONS,
            key="precision",
            help="Of training only; scoring is always float32. auto takes bf16 where the hardware is faster "
            "with it.",
        )
        keep_models = second[2].checkbox(
            "Keep the trained models", key="keep models", help="One folder of weights per seed, in the run's."
        )
    return {
        "batch_size": int(batch_size),
        "lr": lr or None,
        "max_length": int(max_length),
        "device": device,
        "precision": precision,
        "keep_models": keep_models,
    }
