"""The settings of a scoring run, with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.config import TrainingConfig
from diet_core.encoders import ENCODERS
from diet_core.run_config import AUTO
from diet_core.runs.auto_seeds import FEWEST_AUTO, MOST_AUTO
from diet_core.scoring.agreement import ENOUGH_RELIABILITY
from diet_core.scoring.folds import MOST_FOLDS
from pages.parts.score.passes import chosen_scope, chosen_steps

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
        seeds: How many trainings, or `auto`.
        score_steps: Where the examples are scored, as `config.resolved_steps` takes it.
        grand: The scope of GraNd.
        keep_models: Whether the weights are kept.
        folds: Into how many parts the examples are dealt, 0 for none.
    """

    training: TrainingConfig
    seeds: int | str
    score_steps: str
    grand: str
    keep_models: bool
    folds: int = 0


def chosen_settings(columns: Sequence[DeltaGenerator]) -> ScoreSettings:
    """Draw the settings and return what was chosen.

    Args:
        columns: Three, for model, seeds and epochs; the rest comes below, folded.

    Raises:
        SettingError: If a value is out of range.
    """
    with columns[0]:
        model = _model()
    with columns[1]:
        seeds = _seeds()
    with columns[2]:
        epochs = _epochs()
    with st.expander("More settings", icon=":material/tune:"):
        sizes = _sizes(st.columns(3))
        device, precision, keep_models = _hardware(st.columns(3, vertical_alignment="bottom"))
        encoder = _encoder()
        seeds, folds = _more_trainings(seeds, st.columns([1, 2], vertical_alignment="bottom"))
        steps, scope = st.columns([2, 1])
        with steps:
            score_steps = chosen_steps()
        with scope:
            grand = chosen_scope()
    training = TrainingConfig(
        model=model, encoder=encoder, epochs=epochs, device=device, precision=precision, **sizes
    )
    return ScoreSettings(training, seeds, score_steps, grand, keep_models, folds)


def _encoder() -> str:
    encoder: str = st.selectbox(
        "Encoder",
        list(ENCODERS),
        key="encoder",
        format_func=lambda name: f"{name}: {ENCODERS[name]}",
        help="A frozen encoder gives scores in about the time of one reading. With it GraNd is always the "
        "classifier's, and no models can be kept.",
    )
    return encoder


def _model() -> str:
    name = st.text_input(
        "Model",
        _DEFAULTS.model,
        key="model",
        help="minilm is the embedded default and needs no network. With a network, any encoder of the "
        "Hugging Face hub, such as google-bert/bert-base-uncased.",
    )
    return (name or "").strip() or _DEFAULTS.model


def _seeds() -> int:
    return int(
        st.number_input(
            "Seeds",
            min_value=1,
            max_value=50,
            value=5,
            key="seeds",
            help="One training each; scores are the mean over seeds. The paper takes 5, 3 are nearly as "
            "reliable, with 1 nothing is known of the spread.",
        )
    )


def _more_trainings(seeds: int, columns: Sequence[DeltaGenerator]) -> tuple[int | str, int]:
    """Draw the number of folds and whether seeds are trained until they agree; return both."""
    folds = columns[0].number_input(
        "Folds",
        min_value=0,
        max_value=MOST_FOLDS,
        value=0,
        key="folds",
        help="Deals the examples into so many parts; per seed, one more training for each part on all the "
        "others, which scores that part. Likely label errors then go by models that did not train on the "
        "example. 5 is usual, 0 trains none.",
    )
    is_auto = columns[1].checkbox(
        "Train seeds until they agree",
        key="auto seeds",
        help=f"Instead of the number of seeds: from {FEWEST_AUTO} to {MOST_AUTO}, until the order by EL2N is "
        f"expected to correlate {ENOUGH_RELIABILITY:g} with the order that very many seeds would give.",
    )
    return AUTO if is_auto else seeds, int(folds)


def _epochs() -> int:
    return int(
        st.number_input(
            "Epochs",
            min_value=1,
            max_value=1000,
            value=_DEFAULTS.epochs,
            key="epochs",
            help="Passes over the training examples. The paper's scores are taken after about one.",
        )
    )


def _sizes(columns: Sequence[DeltaGenerator]) -> dict[str, int | float | None]:
    """Draw batch size, learning rate and length, and return them by their names in `TrainingConfig`."""
    batch_size = columns[0].number_input(
        "Batch size",
        min_value=1,
        max_value=1024,
        value=_DEFAULTS.batch_size,
        key="batch size",
        help="Examples per optimizer step; 32 as in the paper.",
    )
    lr = columns[1].number_input(
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
    max_length = columns[2].number_input(
        "Longest text, in tokens",
        min_value=8,
        max_value=8192,
        value=_DEFAULTS.max_length,
        key="max length",
        help="Longer texts (or pairs) are cut. More takes more time only for texts that are longer.",
    )
    return {"batch_size": int(batch_size), "lr": lr or None, "max_length": int(max_length)}


def _hardware(columns: Sequence[DeltaGenerator]) -> tuple[str, str, bool]:
    """Draw device, precision and whether the models are kept."""
    device = columns[0].selectbox(
        "Device", _DEVICES, key="device", help="auto takes a GPU where there is one."
    )
    precision = columns[1].selectbox(
        "Precision",
        _PRECISIONS,
        key="precision",
        help="Of training only; scoring is always float32. auto takes bf16 where the hardware is faster "
        "with it.",
    )
    keep_models = columns[2].checkbox(
        "Keep the trained models", key="keep models", help="One folder of weights per seed, in the run's."
    )
    return device, precision, keep_models
