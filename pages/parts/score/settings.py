"""The settings of a scoring run, with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from diet_core.config import TrainingConfig
from diet_core.encoders import ENCODERS
from diet_core.run_config import AUTO
from diet_core.runs.auto_seeds import FEWEST_AUTO, MOST_AUTO
from diet_core.scoring.agreement import ENOUGH_RELIABILITY
from diet_core.scoring.folds import MOST_FOLDS
from diet_core.tables import GRAND_SCOPES

_DEFAULTS = TrainingConfig()
_DEVICES = ["auto", "cpu", "cuda", "mps"]
_PRECISIONS = ["auto", "float32", "bf16"]
_LAST, _EPOCHS, _EVERY, _THESE = "Last step only", "After each epoch", "Every N steps", "At these steps"

_MODEL_HELP = (
    "minilm is the embedded default and needs no network. With a network, any encoder of the Hugging Face "
    "hub, such as google-bert/bert-base-uncased."
)
_SEEDS_HELP = (
    "One training each; scores are the mean over seeds. The paper takes 5, 3 are nearly as reliable, with 1 "
    "nothing is known of the spread."
)
_EPOCHS_HELP = "Passes over the training examples. The paper's scores are taken after about one."
_BATCH_HELP = "Examples per optimizer step; 32 as in the paper."
_LR_HELP = (
    "The peak of AdamW's. Without one: 2e-4 for small models such as minilm, 3e-5 (the paper's) for "
    "base-sized ones."
)
_LENGTH_HELP = "Longer texts (or pairs) are cut. More takes more time only for texts that are longer."
_DEVICE_HELP = "auto takes a GPU where there is one."
_PRECISION_HELP = (
    "Of training only; scoring is always float32. auto takes bf16 where the hardware is faster with it."
)
_KEEP_HELP = "One folder of weights per seed, in the run's."
_ENCODER_HELP = (
    "A frozen encoder gives scores in about the time of one forward pass. With it GraNd is always the "
    "classifier's, and no models can be kept."
)
_FOLDS_HELP = (
    "Splits the examples into so many parts; per seed, one more training for each part on all the others, "
    "which scores that part. Likely label errors are then ranked by models that did not train on the "
    "example. 5 is usual, 0 trains none."
)
_AUTO_HELP = (
    f"Instead of the number of seeds: from {FEWEST_AUTO} to {MOST_AUTO}, until the order by EL2N is expected "
    f"to correlate {ENOUGH_RELIABILITY:g} with the order that very many seeds would give."
)
_STEPS_HELP = (
    "Each score step is one more pass over the training examples, per seed. Several are needed for "
    "forgetting and variability. Steps before the end of the first epoch are unreliable."
)
_SCOPE_HELP = (
    "Of which parameters GraNd takes the gradient: "
    + "; ".join(f"{name} = {meaning}" for name, meaning in GRAND_SCOPES.items())
    + ". classifier is the paper's and costs nothing; with DeBERTa and MPNet the others take very long."
)


@dataclass(frozen=True)
class ScoreSettings:
    """What the user chose.

    Attributes:
        training: Of each training.
        seeds: How many trainings, or `auto`.
        score_steps: Where the examples are scored, as `config.resolved_steps` takes it.
        grand: The scope of GraNd.
        keep_models: Whether the weights are kept.
        folds: Into how many parts the examples are split, 0 for none.
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
    model = (columns[0].text_input("Model", _DEFAULTS.model, key="model", help=_MODEL_HELP) or "").strip()
    seeds = columns[1].number_input("Seeds", 1, 50, 5, key="seeds", help=_SEEDS_HELP)
    epochs = columns[2].number_input("Epochs", 1, 1000, _DEFAULTS.epochs, key="epochs", help=_EPOCHS_HELP)
    with st.expander("More settings", icon=":material/tune:"):
        sizes = _sizes(st.columns(3))
        hardware, keep_models = _hardware(st.columns(3, vertical_alignment="bottom"))
        encoder = st.selectbox(
            "Encoder",
            list(ENCODERS),
            key="encoder",
            format_func=lambda name: f"{name}: {ENCODERS[name]}",
            help=_ENCODER_HELP,
        )
        below = st.columns([1, 2], vertical_alignment="bottom")
        folds = below[0].number_input("Folds", 0, MOST_FOLDS, 0, key="folds", help=_FOLDS_HELP)
        is_auto = below[1].checkbox("Train seeds until they agree", key="auto seeds", help=_AUTO_HELP)
        steps, scope = st.columns([2, 1])
        with steps:
            score_steps = _score_steps()
        grand = scope.selectbox("GraNd of", list(GRAND_SCOPES), key="grand", help=_SCOPE_HELP)
    training = TrainingConfig(
        model=model or _DEFAULTS.model, encoder=encoder, epochs=int(epochs), **sizes, **hardware
    )
    return ScoreSettings(
        training, AUTO if is_auto else int(seeds), score_steps, grand, keep_models, int(folds)
    )


def _sizes(columns: Sequence[DeltaGenerator]) -> dict[str, Any]:
    """Draw batch size, learning rate and length, and return them by their names in `TrainingConfig`."""
    batch_size = columns[0].number_input(
        "Batch size", 1, 1024, _DEFAULTS.batch_size, key="batch size", help=_BATCH_HELP
    )
    lr = columns[1].number_input(
        "Learning rate",
        0.0,
        0.99,
        None,
        step=1e-5,
        format="%g",
        placeholder="By the model's width",
        key="lr",
        help=_LR_HELP,
    )
    max_length = columns[2].number_input(
        "Longest text, in tokens", 8, 8192, _DEFAULTS.max_length, key="max length", help=_LENGTH_HELP
    )
    return {"batch_size": int(batch_size), "lr": lr or None, "max_length": int(max_length)}


def _hardware(columns: Sequence[DeltaGenerator]) -> tuple[dict[str, Any], bool]:
    """Draw device and precision, named as in `TrainingConfig`, and whether the models are kept."""
    device = columns[0].selectbox("Device", _DEVICES, key="device", help=_DEVICE_HELP)
    precision = columns[1].selectbox("Precision", _PRECISIONS, key="precision", help=_PRECISION_HELP)
    keep_models = columns[2].checkbox("Keep the trained models", key="keep models", help=_KEEP_HELP)
    return {"device": device, "precision": precision}, keep_models


def _score_steps() -> str:
    """Draw the choice of score steps and return it as `config.resolved_steps` takes it."""
    choice, detail = st.columns(2, vertical_alignment="bottom")
    kind = choice.selectbox("Score at", [_LAST, _EPOCHS, _EVERY, _THESE], key="score at", help=_STEPS_HELP)
    if kind == _EVERY:
        every = detail.number_input("Every so many steps", min_value=1, value=100, key="score every")
        return f"every:{every}"
    if kind == _THESE:
        help = "With commas, like 0, 100, 200; 0 is before training."
        return detail.text_input("Steps", "0", key="score steps", help=help) or ""
    return "last" if kind == _LAST else "epochs"
