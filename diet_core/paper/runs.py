"""The runs behind a figure: equal ones that are there, else new ones; and the time they take."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd

from diet_core.config import TrainingConfig, Workspace, to_json
from diet_core.dataset import DatasetInfo
from diet_core.errors import DietError
from diet_core.experiments.plan import Plan, lay_out_plan, plan_to_json
from diet_core.paper.request import Request, mean_words, plan_for
from diet_core.runs.cost import Speed, Work
from diet_core.runs.facts import read_snapshot
from diet_core.runs.folder import RunFolder, all_runs
from diet_core.runs.layout import dataset_from_json
from diet_core.runs.score_run import plan_scoring

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
    wanted = {"kind": "score", "seeds": request.seeds, "folds": 0, "grand": "classifier"}
    wanted |= _resolved(request.training)

    def fits(folder: RunFolder, config: Mapping[str, Any]) -> bool:
        return (
            wanted.items() <= config.items()
            and dataset_from_json(config["dataset"]).dataset_id == info.dataset_id
            and set(steps) <= set(config["score_steps"])
            and _is_same_part(read_snapshot(folder), part)
        )

    return _found(workspace, fits, remembered) or plan_scoring(
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

    def fits(folder: RunFolder, config: Mapping[str, Any]) -> bool:
        return config.get("scored_run") == scored.run_id and config.get("plan") == content

    return _found(workspace, fits, remembered) or lay_out_plan(workspace, scored, plan, reuse=True)


def _resolved(training: TrainingConfig) -> dict[str, Any]:
    """Return settings and model as a run's config.json has them: with the model's own learning rate."""
    from diet_core.training.models import find_model  # brings torch

    model = find_model(training.model)
    settings = dataclasses.replace(training, lr=training.lr or model.lr)
    return {"training": to_json(settings), "model": dataclasses.asdict(model)}


def _found(
    workspace: Workspace, fits: Callable[[RunFolder, Mapping[str, Any]], bool], remembered: str | None
) -> RunFolder | None:
    """Return the run that fits: the remembered one, else the newest finished one, else the newest."""
    there = [folder for folder in all_runs(workspace) if _fits(folder, fits)]
    ours = [folder for folder in there if folder.run_id == remembered]
    done = [folder for folder in there if folder.status()["state"] == "done"]
    return next(iter(ours + done + there), None)


def _fits(folder: RunFolder, fits: Callable[[RunFolder, Mapping[str, Any]], bool]) -> bool:
    """Return whether a run fits; a damaged one never does."""
    try:
        folder.status()
        return fits(folder, folder.config())
    except (DietError, KeyError):
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


def duration(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> duration(100), duration(3000), duration(9000), duration(900_000)
    ('2 minutes', '50 minutes', '2.5 hours', '250 hours')
    """
    minutes = seconds / 60
    if minutes < 1.5:
        return "1 minute" if minutes < 1 else "2 minutes"
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.3g} hours"
