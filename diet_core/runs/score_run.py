"""Laying out a scoring run, or two: a quick look with a frozen encoder before the fine-tuning."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.config import TrainingConfig, Workspace, resolved_steps
from diet_core.dataset import DatasetInfo
from diet_core.encoders import FROZEN
from diet_core.errors import SettingError
from diet_core.run_config import FOLD, PlannedTraining
from diet_core.runs.auto_seeds import check_seeds, most_seeds
from diet_core.runs.folder import RunFolder
from diet_core.runs.layout import check_examples, lay_out, new_run_id
from diet_core.scoring.folds import checked_folds, fold_numbers, unseen_classes
from diet_core.tables import GRAND_SCOPES

# Settings that a run with a frozen encoder does not have.
_OF_TUNED_RUNS: Final = ("grand", "keep_models")


def lay_out_scoring(
    workspace: Workspace,
    info: DatasetInfo,
    examples: pd.DataFrame,
    *,
    seeds: int | str,
    training: TrainingConfig,
    score_steps: str | int | Iterable[int] = "last",
    grand: str = "classifier",
    keep_models: bool = False,
    folds: int = 0,
) -> RunFolder:
    """Lay out a run that trains one model per seed on all training examples and scores them.

    With folds, each seed is followed by a training per fold: on all the others, to score that one.

    Args:
        workspace: Where.
        info: The data set.
        examples: Its rows, columns as `tables.EXAMPLE_COLUMNS`.
        seeds: How many, at least 1; they are 0, 1, …. `auto`: from 2 to 10, until they are reliable.
        training: Settings of each training.
        score_steps: The optimizer steps at which the examples are scored, as `config.resolved_steps` takes
            them; the last one always.
        grand: Of which parameters GraNd takes the gradient, one of `tables.GRAND_SCOPES`; with a frozen
            encoder it is the classifier's, and `full` is refused.
        keep_models: Keep each seed's weights as safetensors; those of the folds go.
        folds: Into how many parts the training examples are dealt, from 2 to 20, for scores by models that
            did not train on the example; 0 = none.

    Raises:
        SettingError: If `seeds` is below 1, there are too many folds, a score step is beyond the last step,
            or a setting does not fit the model, this machine or a frozen encoder.
        ModelError: If the model cannot be loaded.
        DataError: If the training split has fewer than two classes.
    """
    check_seeds(seeds)
    checked_folds(folds)
    if grand not in GRAND_SCOPES:
        raise SettingError(f"grand is {grand!r}. Choose one of: {', '.join(GRAND_SCOPES)}.")
    grand = _scope(training, grand, keep_models)
    check_examples(info, examples)
    train = examples[examples["split"] == "train"]
    epoch_steps = training.epoch_steps(len(train))
    # A class of one text: the model that scores it out of fold knows no other of them.
    unseen = unseen_classes(train["label"].tolist(), _folds_of(train, folds, 0)) if folds else ()
    more = {
        "seeds": seeds,
        "folds": folds,
        "unseen_classes": tuple(unseen),
        "keep_models": keep_models,
        "grand": grand,
        "score_steps": resolved_steps(score_steps, epoch_steps=epoch_steps, epochs=training.epochs),
        "epoch_steps": epoch_steps,
    }
    trainings = dict(_trainings(train, most_seeds(seeds), folds))
    return lay_out(workspace, info, examples, trainings, training, kind="score", more=more)


def _scope(training: TrainingConfig, grand: str, keep_models: bool) -> str:
    """Return the scope of GraNd: where only a head is trained, `new` and `head` are the classifier's."""
    if training.encoder != FROZEN:
        return grand
    if grand == "full":
        raise SettingError(
            "grand is 'full', but with a frozen encoder only the classifier is trained. "
            "Choose --grand classifier, or --encoder tuned."
        )
    if keep_models:
        raise SettingError(
            "keep-models keeps fine-tuned weights, and with a frozen encoder none are made. "
            "Leave it out, or choose --encoder tuned."
        )
    return "classifier"


def _trainings(
    train: pd.DataFrame, n_seeds: int, folds: int
) -> Iterator[tuple[PlannedTraining, pd.DataFrame | None]]:
    """Yield each seed, its folds behind it, so that a run that is stopped has whole seeds."""
    for seed in range(n_seeds):
        yield PlannedTraining(f"seed-{seed}", "score", seed), None
        if folds:
            numbers = _folds_of(train, folds, seed)
            for fold in range(1, folds + 1):
                yield PlannedTraining(f"seed-{seed}-fold-{fold}", FOLD, seed), train[numbers != fold]


def _folds_of(train: pd.DataFrame, folds: int, seed: int) -> NDArray[np.int64]:
    texts = list(zip(train["text"], train["text_pair"].fillna(""), strict=True))
    return fold_numbers(train["label"].tolist(), train["example_id"].tolist(), folds, seed, texts)


def lay_out_with_quick_look(
    workspace: Workspace,
    info: DatasetInfo,
    examples: pd.DataFrame,
    *,
    training: TrainingConfig,
    **settings: Any,
) -> tuple[RunFolder, RunFolder]:
    """Lay out a quick look and the fine-tuning that follows it, both or none; the queue keeps their order.

    The quick look has the same seeds, folds and score steps, and a head's own learning rate.

    Args:
        workspace: Where.
        info: The data set.
        examples: Its rows, columns as `tables.EXAMPLE_COLUMNS`.
        training: Settings of the run that fine-tunes.
        settings: What `lay_out_scoring` takes beside.

    Raises:
        SettingError: If a setting is out of range or does not fit the model or this machine.
        ModelError: If the model cannot be loaded.
        DataError: If the training split has fewer than two classes.
    """
    frozen = dataclasses.replace(training, encoder=FROZEN, lr=None)
    of_head = {name: value for name, value in settings.items() if name not in _OF_TUNED_RUNS}
    quick = lay_out_scoring(workspace, info, examples, training=frozen, **of_head)
    try:
        _wait_until_ids_follow(quick, info.name)
        return quick, lay_out_scoring(workspace, info, examples, training=training, **settings)
    except BaseException:
        shutil.rmtree(quick.path, ignore_errors=True)
        raise


def _wait_until_ids_follow(run: RunFolder, dataset: str) -> None:
    """Wait until new runs come behind `run` in the queue, which goes by the seconds in their ids."""
    second = slice(-len("20261121-142530-1a2b"), -len("-1a2b"))
    while new_run_id(dataset)[second] <= run.run_id[second]:
        time.sleep(0.05)
