"""Finished retrainings made by hand: what they must say is known before, and nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from diet_core.config import TrainingConfig, Workspace
from diet_core.dataset import DatasetInfo
from diet_core.experiments.arms import standard_arms
from diet_core.experiments.plan import FIRST_SEED, Plan, plan_to_json
from diet_core.rule import Rule
from diet_core.run_config import PlannedTraining
from diet_core.runs.fact_files import predictions_file
from diet_core.runs.folder import RunFolder, now, write_json, write_table
from diet_core.runs.record import RunStatus
from diet_core.scoring.evaluation import macro_f1
from tests.runs.made_configs import config_json, made_config

N_TEST = 400
N_TRAIN = 100
SIZES = {"full": N_TRAIN}  # others have N_SELECTED
N_SELECTED = 66
EPOCH_STEPS = 5
EPOCHS = 2
SECONDS = 30.0  # of each training


def plant(
    workspace: Workspace,
    info: DatasetInfo,
    scored_run: str,
    right: Mapping[str, Sequence[int]],
    plan: Plan | None = None,
    run_id: str | None = None,
) -> RunFolder:
    """Write the folder of a retraining whose trainings got so many of 400 test examples right.

    Args:
        workspace: Where.
        info: Of the data set; its classes are equally frequent.
        scored_run: Id of the scoring run.
        right: By arm: of each finished repeat, how many test examples it predicted right.
        plan: What was planned; None = the standard arms with as many repeats as there are.
        run_id: Of the new run; None = one of the data set.
    """
    repeats = max(map(len, right.values()))
    plan = plan or Plan(standard_arms(Rule()), repeats=repeats, epochs=EPOCHS)
    folder = RunFolder(workspace.runs / (run_id or f"{info.name}-20261122-101010-aaaa"))
    folder.path.mkdir(parents=True)
    _write_snapshot(folder, info.classes)
    units = [(arm.name, repeat) for repeat in range(plan.repeats) for arm in plan.arms]
    config = made_config(
        info,
        run_id=folder.run_id,
        kind="retrain",
        created_at=now(),
        settings=TrainingConfig(epochs=plan.epochs or EPOCHS),
        trainings=tuple(_training(arm, repeat) for arm, repeat in units),
        scored_run=scored_run,
        plan=plan_to_json(plan) | {"decisions": 0},
        choose=plan.choose,
        curve=plan.curve,
    )
    folder.write_config(config)
    finished = [(arm, repeat) for arm, repeat in units if repeat < len(right.get(arm, ()))]
    for arm, repeat in finished:
        _write_unit(folder, info.classes, arm, repeat, right[arm][repeat])
    _write_status(folder, is_done=len(finished) == len(units), n_finished=len(finished), n=len(units))
    return folder


def _training(arm: str, repeat: int) -> PlannedTraining:
    seed = FIRST_SEED + repeat
    return PlannedTraining(f"{arm}-{seed}", arm, seed)


def _write_snapshot(folder: RunFolder, classes: Sequence[str]) -> None:
    n = N_TRAIN + N_TEST
    examples = pd.DataFrame(
        {
            "example_id": [f"p{i}" for i in range(n)],
            "source_row": np.arange(n),
            "text": [f"text {i}" for i in range(n)],
            "text_pair": pd.Series([None] * n, dtype="str"),
            "label": [classes[i % len(classes)] for i in range(n)],
            "split": ["train"] * N_TRAIN + ["test"] * N_TEST,
        }
    )
    table = pa.Table.from_pandas(examples, preserve_index=False).replace_schema_metadata(None)
    write_table(folder.examples_file, table)


def _write_unit(folder, classes, arm: str, repeat: int, n_right: int) -> None:
    """Write what a training leaves; which examples are right is drawn anew for each."""
    training = _training(arm, repeat)
    labels = (N_TRAIN + np.arange(N_TEST)) % len(classes)
    rng = np.random.default_rng([repeat, *arm.encode()])
    is_wrong = np.ones(N_TEST, bool)
    is_wrong[rng.permutation(N_TEST)[:n_right]] = False
    predicted = np.where(is_wrong, (labels + 1) % len(classes), labels)
    recall = {name: float((predicted == labels)[labels == k].mean()) for k, name in enumerate(classes)}
    n_train = SIZES.get(arm, N_SELECTED)
    last = {
        "epoch": EPOCHS,
        "step": EPOCHS * EPOCH_STEPS,
        "n_train": n_train,
        "accuracy": n_right / N_TEST,
        "loss": 1 - n_right / N_TEST,
        "macro_f1": macro_f1(predicted, labels),
        "per_class_recall": recall,
    }
    first = last | {"epoch": 1, "step": EPOCH_STEPS, "accuracy": n_right / N_TEST / 2}
    counts = {name: last[name] for name in ("accuracy", "macro_f1", "per_class_recall", "epoch", "step")}
    curve = [{k: one[k] for k in ("step", "epoch", "accuracy", "loss", "macro_f1")} for one in (first, last)]
    ids = [f"p{N_TRAIN + i}" for i in range(N_TEST)]
    folder.training_folder(training.name).mkdir()
    table = pa.table({"example_id": ids, "predicted": pa.array(predicted, pa.int16())})
    write_table(predictions_file(folder, training.name), table)
    write_json(
        folder.result_file(training.name),
        training.to_json()
        | counts
        | {
            "n_train": n_train,
            "steps": EPOCHS * EPOCH_STEPS,
            "curve": curve,
            "metrics": [first, last],
            "seconds": {"train": 20.0, "score": 10.0, "total": SECONDS},
        },
    )


def _write_status(folder: RunFolder, *, is_done: bool, n_finished: int, n: int) -> None:
    steps = EPOCHS * EPOCH_STEPS
    seconds = {"train": 20.0 * n_finished, "score": 10.0 * n_finished, "total": SECONDS * n_finished}
    state = "done" if is_done else "cancelled"
    status = RunStatus(state, step=n_finished * steps, total=n * steps, seconds=seconds if is_done else None)
    folder.write_status(status)


def as_old(folder: RunFolder) -> RunFolder:
    """Turn a planted retraining into one of the time before there were plans."""
    config = config_json(folder)
    plan = config.pop("plan")
    old = {name: plan[name] for name in ("repeats", "epochs", "budget", "choose", "decisions")}
    rule = next(arm["rule"] for arm in plan["arms"] if arm["name"] == "selected")
    baselines = [arm["name"] for arm in plan["arms"] if arm["name"] in ("full", "random")]
    write_json(folder.config_file, config | {"retraining": old | {"rule": rule, "baselines": baselines}})
    for unit in config["units"]:
        if not folder.result_file(unit["name"]).exists():
            continue
        predictions_file(folder, unit["name"]).unlink()
        result = folder.result(unit["name"])
        result["metrics"] = [
            {k: v for k, v in one.items() if k not in ("step", "macro_f1")} for one in result["metrics"]
        ]
        kept = ("name", "arm", "seed", "accuracy", "epoch", "n_train", "metrics", "seconds")
        write_json(folder.result_file(unit["name"]), {name: result[name] for name in kept})
    return folder
