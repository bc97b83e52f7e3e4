"""Plans: arms and repeats on equal terms, also as JSON files, laid out as one run of kind retrain."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from diet_core.config import TrainingConfig, Workspace, to_json
from diet_core.data.formats.readers import read_source
from diet_core.errors import DietError, NotFoundError, SettingError
from diet_core.experiments.arms import BASELINES, Arm, arm_from_json, arm_to_json, standard_arms
from diet_core.experiments.pool import Pool, open_pool
from diet_core.json_input import checked_fields, read_json
from diet_core.rule import Rule, rule_from_json
from diet_core.run_config import PlannedTraining
from diet_core.runs.facts import read_snapshot
from diet_core.runs.folder import RunFolder, all_runs
from diet_core.runs.layout import lay_out
from diet_core.tables import BUDGETS, CHOICES

FIRST_SEED: Final = 10_000  # disjoint from the scoring seeds, so that no model selects for itself
# How the selection of `retraining_plan` prunes.
PRUNES: Final = {"static": ("static",), "dynamic": ("dynamic",), "both": ("static", "dynamic")}


@dataclass(frozen=True)
class Plan:
    """What is trained and how it is compared.

    Attributes:
        arms: What is trained on, each `repeats` times.
        repeats: Trainings per arm; repeat i has seed 10000 + i in every arm.
        epochs: Per training; None = as the scoring run.
        budget: One of `tables.BUDGETS`.
        choose: One of `tables.CHOICES`.
        curve: Evaluations per training, equally spaced; 0 = one after each epoch.
        max_steps: Steps of every arm, with the budget steps; None = what all examples take.
    """

    arms: tuple[Arm, ...]
    repeats: int = 3
    epochs: int | None = None
    budget: str = "epochs"
    choose: str = "last"
    curve: int = 0
    max_steps: int | None = None

    def __post_init__(self) -> None:
        """Check the ranges, and that the arms fit together."""
        if self.repeats < 1:
            raise SettingError(f"repeats is {self.repeats}. Give at least 1; 3 show the spread.")
        for name, value, known in (("budget", self.budget, BUDGETS), ("choose", self.choose, CHOICES)):
            if value not in known:
                raise SettingError(f"{name} is {value!r}. Choose one of: {', '.join(known)}.")
        if self.curve < 0:
            raise SettingError(f"curve is {self.curve}. Give the evaluations per training, or 0.")
        _check_max_steps(self.max_steps, self.budget)
        _check_arms(self.arms)


def _check_max_steps(max_steps: int | None, budget: str) -> None:
    if max_steps is None:
        return
    if max_steps < 1:
        raise SettingError(f"max_steps is {max_steps}. Give at least 1, or leave it out.")
    if budget != "steps":
        raise SettingError(f"max_steps is {max_steps}, but the budget is {budget}. Set the budget to steps.")


def _check_arms(arms: Sequence[Arm]) -> None:
    if not arms:
        raise SettingError("The plan has no arms. Give at least one.")
    by_name = {arm.name: arm for arm in arms}
    if len(by_name) < len(arms):
        names = [arm.name for arm in arms]
        twice = next(name for name in names if names.count(name) > 1)
        raise SettingError(f"Two arms are called {twice!r}. Give each one a name of its own.")
    for arm in arms:
        if arm.like is not None and (arm.like not in by_name or by_name[arm.like].is_baseline):
            fitting = [other.name for other in arms if not other.is_baseline]
            raise SettingError(
                f"Arm {arm.name} is like {arm.like!r}, which is no selection of this plan. "
                f"Choose of: {', '.join(fitting) or 'none, it has only baselines'}."
            )


def retraining_plan(
    rule: Rule, *, baselines: Sequence[str] = BASELINES, prune: str = "static", **terms: Any
) -> Plan:
    """Return the plan of one rule beside its baselines.

    Args:
        rule: The selection.
        baselines: Of full and random.
        prune: static, dynamic or both.
        terms: The other fields of `Plan`.

    Raises:
        SettingError: If one is unknown or out of range.

    >>> [arm.name for arm in retraining_plan(Rule(), baselines=("random",)).arms]
    ['selected', 'random']
    """
    if prune not in PRUNES:
        raise SettingError(f"prune is {prune!r}. Choose one of: {', '.join(PRUNES)}.")
    if unknown := terms.keys() - {field.name for field in dataclasses.fields(Plan)[1:]}:
        raise SettingError(f"{min(unknown)!r} is no term of a retraining. Leave it out.")
    return Plan(standard_arms(rule, baselines, PRUNES[prune]), **terms)


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as a dict that JSON can hold; the form of plan files."""
    return to_json(plan) | {"arms": [arm_to_json(arm) for arm in plan.arms]}


def plan_of(folder: RunFolder) -> Plan:
    """Return the plan of a retraining run, also of one that an older version laid out.

    Raises:
        RunStateError: If its files cannot be read.
        SettingError: If they hold no plan.
    """
    config, where = folder.config(), str(folder.config_file)
    content = config.plan
    if content is None:
        return _plan_of_old(config.retraining or {}, where)
    known = {f.name: content[f.name] for f in dataclasses.fields(Plan) if f.name in content}
    return Plan(**known | {"arms": tuple(arm_from_json(arm, where) for arm in content["arms"])})


def _plan_of_old(content: Mapping[str, Any], where: str) -> Plan:
    """Return the plan of a run from before there were plans: a rule and its baselines."""
    if "rule" not in content:
        raise SettingError(f"{where} holds no plan. Give a run that retrain made: see runs.")
    arms = standard_arms(rule_from_json(content["rule"], where), content.get("baselines", ()))
    kept = {name: content[name] for name in ("repeats", "epochs", "budget", "choose") if name in content}
    return Plan(arms, **kept)


def read_plan(path: Path) -> tuple[Plan, dict[str, list[str]]]:
    """Return the plan of a JSON file, and the examples of each of its arms of the kind ids by its name.

    Args:
        path: An object with the fields of `Plan`, its arms as `arm_from_json` takes them. An arm of the kind
            ids names a file (csv, jsonl, parquet …) beside it, with a column example_id or a single column.

    Raises:
        NotFoundError: If there is no such file.
        SettingError: If it holds no plan; the message names the file, the arm and the key.
        DataError: If a file of ids cannot be read.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}. Give a plan as a JSON file.")
    example = '{"arms": [{"name": "full", "kind": "full"}]}'
    content = checked_fields(read_json(path), Plan, "a plan", str(path), example)
    if "arms" not in content:
        raise SettingError(f"{path} has no arms. Give a list of them, like {example}.")
    arms = tuple(arm_from_json(arm, str(path)) for arm in content["arms"])
    try:
        plan = Plan(**content | {"arms": arms})
    except DietError as error:
        raise SettingError(f"In {path}: {error}") from error
    return plan, {arm.name: _ids(arm, path) for arm in arms if arm.kind == "ids"}


def _ids(arm: Arm, path: Path) -> list[str]:
    """Return the ids of the file that an arm names."""
    if arm.ids is None:
        raise SettingError(f"Arm {arm.name} of {path} has no ids. Name a file with a column example_id.")
    source = read_source(path.parent / Path(arm.ids).expanduser())
    if "example_id" not in source.columns and len(source.columns) > 1:
        raise SettingError(
            f"{arm.ids} of arm {arm.name} in {path} has no column example_id (it has: "
            f"{', '.join(source.columns)}). Name the column of the ids so, or leave the others out."
        )
    column = "example_id" if "example_id" in source.columns else source.columns[0]
    return [str(value) for value in source.column(column) if value is not None]


def lay_out_plan(
    workspace: Workspace,
    scored: RunFolder,
    plan: Plan,
    *,
    decisions: pd.DataFrame | None = None,
    ids: Mapping[str, Sequence[str]] | None = None,
    reuse: bool = False,
) -> RunFolder:
    """Lay out a run that trains every arm of a plan, repeat by repeat, so that early results compare early.

    Snapshot, model, settings and test split are the scoring run's. A dynamic arm trains on the whole pool
    and takes as many steps as its rule's static selection would: equal cost.

    Args:
        workspace: Where.
        scored: The scoring run.
        plan: What to train.
        decisions: The effective decisions (example_id, action, label), applied to what rules select; None =
            the rules alone. In the pool of a dynamic arm only drop and relabel have an effect.
        ids: The training examples of each arm of the kind ids, by its name.
        reuse: Whether identical trainings of other runs of the workspace are reused.

    Raises:
        SettingError: If a rule keeps nothing, or an arm's ids are missing or no training examples.
        RunStateError: If the run has no scores.
        NotFoundError: If a score step was not recorded.
    """
    config = scored.config()
    training = config.settings
    if plan.epochs is not None:
        training = dataclasses.replace(training, epochs=plan.epochs)
    pool = open_pool(scored, decisions, ids or {}, has_heldout=plan.choose == "heldout")
    total = plan.max_steps or training.epochs * training.epoch_steps(pool.n)
    return lay_out(
        workspace,
        config.dataset,
        read_snapshot(scored),
        _trainings(pool, plan, training),
        training,
        kind="retrain",
        more={
            "scored_run": scored.run_id,
            "plan": plan_to_json(plan) | {"decisions": 0 if decisions is None else len(decisions)},
            "choose": plan.choose,
            "curve": plan.curve,
            "total_steps": total if plan.budget == "steps" else None,
            "reuse": reuse,
        },
        heldout=pool.heldout() if plan.choose == "heldout" else None,
    )


def _trainings(
    pool: Pool, plan: Plan, training: TrainingConfig
) -> dict[PlannedTraining, pd.DataFrame | None]:
    """Return the trainings, repeat by repeat, with the examples of each."""
    selections = {arm.name: pool.selection(arm) for arm in plan.arms if arm.kind != "random"}
    of_arm = {arm.name: arm for arm in plan.arms}
    trainings: dict[PlannedTraining, pd.DataFrame | None] = {}
    for seed in range(FIRST_SEED, FIRST_SEED + plan.repeats):
        for arm in plan.arms:
            train = (
                pool.drawn(selections[arm.like], of_arm[arm.like], seed)
                if arm.like is not None
                else pool.trained_on(arm, selections[arm.name])
            )
            more = _dynamic(arm, plan, training, len(selections[arm.name])) if arm.is_dynamic else {}
            trainings[PlannedTraining(f"{arm.name}-{seed}", arm.name, seed, **more)] = train
    return trainings


def _dynamic(arm: Arm, plan: Plan, training: TrainingConfig, n_selected: int) -> dict[str, Any]:
    """Return what a training that selects meanwhile has besides: how, and the steps of static pruning."""
    steps = training.epochs * training.epoch_steps(n_selected)
    return {"dynamic": arm.dynamic} | ({"total_steps": steps} if plan.budget == "epochs" else {})


def retrainings(workspace: Workspace, scored_run: str) -> list[RunFolder]:
    """Return the retrainings on the scores of a run, the newest first; damaged folders are left out."""
    return [folder for folder in all_runs(workspace) if _is_of(folder, scored_run)]


def _is_of(folder: RunFolder, scored_run: str) -> bool:
    try:
        return folder.config().scored_run == scored_run
    except DietError:
        return False
