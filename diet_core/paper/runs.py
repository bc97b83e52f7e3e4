"""The runs behind a figure: equal ones that are there, else new ones; and the time they take."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Final

import pandas as pd

from diet_core.config import TrainingConfig, Workspace
from diet_core.dataset import DatasetInfo
from diet_core.errors import DietError
from diet_core.experiments.plan import Plan, lay_out_plan, plan_to_json
from diet_core.paper.request import Request, mean_words, plan_for
from diet_core.run_config import ModelSource, RunConfig
from diet_core.runs.cost import Speed, Work
from diet_core.runs.facts import read_snapshot
from diet_core.runs.folder import RunFolder, all_runs
from diet_core.runs.score_run import lay_out_scoring

# What brings a run to its end, wherever it stands.
Finish = Callable[[RunFolder], None]
# Seconds that fine-tuning MiniLM takes on two cores for a text: for each, and for each of its words. 150
# texts of 12 tokens (10 words) a second, 40 of 50 (36 words).
_SECONDS_PER_TEXT: Final = 0.0009
_SECONDS_PER_WORD: Final = 0.00066
_GUESSED_MODEL: Final = "minilm"


def scoring_run(
    workspace: Workspace,
    info: DatasetInfo,
    part: pd.DataFrame,
    request: Request,
    remembered: str | None = None,
) -> RunFolder:
    """Return the scoring run that a figure reads: one of equal settings, finished if possible, or a new one.

    Score steps beyond those that are needed do not matter; everything else that changes a score does.

    Args:
        workspace: Where.
        info: The data set.
        part: Its rows that are used, from `request.part_of`.
        request: What is reproduced.
        remembered: The id of the run that this reproduction began, which goes before others that fit.

    Raises:
        SettingError: If a setting does not fit the model or this machine.
        ModelError: If the model cannot be loaded.
        DataError: If the training rows have fewer than two classes.
    """
    steps = request.score_steps(int((part["split"] == "train").sum()))
    wanted = ("score", request.seeds, 0, "classifier", *_resolved(request.training), info.dataset_id)

    def fits(folder: RunFolder, config: RunConfig) -> bool:
        there = (config.kind, config.seeds, config.folds, config.grand, config.settings, config.model)
        return (
            (*there, config.dataset.dataset_id) == wanted
            and set(steps) <= set(config.score_steps)
            and _is_same_part(read_snapshot(folder), part)
        )

    return _found(workspace, fits, remembered) or lay_out_scoring(
        workspace, info, part, seeds=request.seeds, training=request.training, score_steps=steps
    )


def retraining_run(
    workspace: Workspace, scored: RunFolder, plan: Plan, remembered: str | None = None
) -> RunFolder:
    """Return the run of a plan: one of the same plan on the same scores, or a new one.

    Args:
        workspace: Where.
        scored: The finished scoring run.
        plan: What is trained.
        remembered: The id of the run that this reproduction began, which goes before others that fit.
    """
    content = json.loads(json.dumps(plan_to_json(plan) | {"decisions": 0}))  # its tuples as lists

    def fits(folder: RunFolder, config: RunConfig) -> bool:
        return config.scored_run == scored.run_id and bool(config.plan == content)

    return _found(workspace, fits, remembered) or lay_out_plan(workspace, scored, plan, reuse=True)


def _resolved(training: TrainingConfig) -> tuple[TrainingConfig, ModelSource]:
    """Return settings and model as a run's configuration has them: with the model's own learning rate."""
    from diet_core.training.models import find_model  # brings torch

    model = find_model(training.model)
    return dataclasses.replace(training, lr=training.lr or model.lr), model


def _found(
    workspace: Workspace, fits: Callable[[RunFolder, RunConfig], bool], remembered: str | None
) -> RunFolder | None:
    """Return the run that fits: the remembered one, else the newest finished one, else the newest."""
    there = [folder for folder in all_runs(workspace) if _fits(folder, fits)]
    ours = [folder for folder in there if folder.run_id == remembered]
    done = [folder for folder in there if folder.status().is_done]
    return next(iter(ours + done + there), None)


def _fits(folder: RunFolder, fits: Callable[[RunFolder, RunConfig], bool]) -> bool:
    """Return whether a run fits; a damaged one never does."""
    try:
        folder.status()
        return fits(folder, folder.config())
    except DietError:
        return False


def _is_same_part(snapshot: pd.DataFrame, part: pd.DataFrame) -> bool:
    columns = ["example_id", "label", "split"]
    ours, theirs = (f[columns].sort_values("example_id").to_numpy().tolist() for f in (part, snapshot))
    return bool(ours == theirs)


def guessed_speed(request: Request, part: pd.DataFrame) -> Speed | None:
    """Return the speed to expect where none was measured: of the embedded model by the length of the texts.

    >>> part = pd.DataFrame({"text": ["a b c d e f g h i j"], "text_pair": [None], "split": ["train"]})
    >>> speed = guessed_speed(Request("fig3", "trec6"), part)
    >>> round(speed.training), guessed_speed(Request("fig3", "trec6", model="roberta-base"), part)
    (133, None)
    """
    if request.training.model != _GUESSED_MODEL:
        return None
    words = mean_words(part[part["split"] == "train"])
    rate = 1 / (_SECONDS_PER_TEXT + _SECONDS_PER_WORD * words)
    return Speed(training=rate, scoring=4 * rate, encoding=1e4, starting=5.0, loading=0.5)


def seconds_of(request: Request, part: pd.DataFrame, speed: Speed) -> float:
    """Return how long a reproduction takes with nothing of it done yet.

    Args:
        request: What is reproduced.
        part: From `request.part_of`.
        speed: As measured, or `guessed_speed`.
    """
    n_train, n_test = (int((part["split"] == split).sum()) for split in ("train", "test"))
    n_steps = len(request.score_steps(n_train))
    seconds = speed.seconds(Work(n_train, n_test, seeds=request.seeds, epochs=1, n_steps=n_steps))
    if not request.has_plan:
        return seconds
    plan = plan_for(request, part)
    epochs = plan.epochs or 1
    each = speed.loading + epochs * (n_train / speed.training + n_test / speed.scoring)
    return seconds + speed.starting + len(plan.arms) * plan.repeats * each
