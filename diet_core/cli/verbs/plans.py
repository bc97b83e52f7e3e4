"""Verbs about plans: retrain, sweep, results."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from diet_core.cli.verbs.data import opened
from diet_core.cli.verbs.output import Answer, meanings
from diet_core.cli.verbs.rules import add_rule, is_rule_given, rule_of
from diet_core.cli.verbs.runs import add_following, followed, resumed, retrained
from diet_core.config import Rule
from diet_core.data.formats.tables import write_frame
from diet_core.errors import SettingError
from diet_core.experiments.arms import BASELINES, sweep_arms
from diet_core.experiments.plan import Plan, lay_out_plan, read_plan, retraining_plan
from diet_core.experiments.results import plan_results, retrain_summary
from diet_core.runs import executor
from diet_core.runs.folder import RunFolder, find_run_folder
from diet_core.store.decisions.decisions import list_effective_decisions
from diet_core.store.loading.runs import has_run, read_run
from diet_core.tables import BUDGETS, CHOICES

if TYPE_CHECKING:
    import pandas as pd

Add = Callable[..., Any]
# Options of retrain that a plan file says instead, by their names in the parsed arguments.
_TERMS: Final = ("repeats", "epochs", "budget", "choose", "curve", "max_steps")
_OF_RULE: Final = ("baselines", "prune")


def add_verbs(verb: Callable[..., Add]) -> None:
    """Add the verbs retrain, sweep and results."""
    add = verb("retrain", retrain, "train on a selection, beside all data and a random selection")
    add("run", nargs="?", metavar="RUN", help="the scoring run that selects, or latest")
    add("--plan", metavar="FILE", help="a JSON file, instead of all options but --decisions and --reuse")
    add_rule(add, Rule())
    add("--prune", help="static, dynamic (select again during the training) or both (default: static)")
    _add_terms(add)

    add = verb("sweep", retrain, "retrain over shares to keep and to drop, by one score or several")
    add("run", nargs="?", metavar="RUN", help="the scoring run that selects, or latest")
    add("--by", default="el2n", metavar="SCORES", help="scores, with commas (default: el2n)")
    add("--keep", type=_shares, metavar="SHARES", help="with commas, like 0.3,0.5,0.7,0.9")
    add("--drop-hardest", type=_shares, default=(0.0,), metavar="SHARES", help="with commas (default: 0)")
    add("--per-class", action="store_true", help="apply the shares within each class")
    _add_terms(add)

    add = verb("results", results, "show the results of a retraining: arms, differences, sentences")
    add("run", metavar="RUN", help="a retraining, or latest")
    add("--out", metavar="FILE", help="write a row per training: parquet, csv or jsonl")


def _add_terms(add: Add) -> None:
    """Add the options that retrain and sweep have in common."""
    add("--repeats", type=int, metavar="N", help="trainings per arm (default: 3)")
    add("--baselines", metavar="NAMES", help="of full and random (default: both)")
    add("--epochs", type=int, help="default: as the scoring run")
    add("--budget", metavar="NAME", help=f"default: epochs: {meanings(BUDGETS)}")
    add("--max-steps", type=int, metavar="N", help="--budget steps: of every arm (default: as all data take)")
    add("--choose", metavar="NAME", help=f"default: last: {meanings(CHOICES)}")
    add("--curve", type=int, metavar="N", help="evaluations per training (default: 0, one after each epoch)")
    add("--reuse", action="store_true", help="reuse identical trainings that other runs have finished")
    add("--decisions", action="store_true", help="apply what reviewers decided to the selections")
    add_following(add)


def _shares(text: str) -> tuple[float, ...]:
    """Return shares that are written with commas."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of shares like 0.3,0.5") from error


def retrain(args: Namespace) -> Answer:
    """Retrain as the options of retrain or sweep say, or go on with a run."""
    if args.resume:
        return followed(args, resumed(args, "retrain"))
    folder = planned_sweep(args) if args.verb == "sweep" else planned_retraining(args)
    executor.start(folder)
    return followed(args, folder)


def planned_retraining(args: Namespace) -> RunFolder:
    """Return the laid-out run of `retrain`.

    Raises:
        DietError: If the options describe none.
    """
    _check_run(args)
    given = _given(args, (*_TERMS, *_OF_RULE))
    if args.plan is None:
        return _laid_out(args, retraining_plan(rule_of(args, Rule()), **given))
    if given or is_rule_given(args):
        first = next(iter(given), None)
        what = "the options of a rule" if first is None else f"--{first.replace('_', '-')}"
        raise SettingError(f"--plan {args.plan} says it all. Leave out {what}.")
    return _laid_out(args, *read_plan(Path(args.plan).expanduser()))


def planned_sweep(args: Namespace) -> RunFolder:
    """Return the laid-out run of `sweep`.

    Raises:
        DietError: If the options describe none.
    """
    _check_run(args)
    if args.keep is None:
        raise SettingError("No share to keep was given. Give some with --keep, like --keep 0.3,0.5,0.7,0.9")
    given = _given(args, (*_TERMS, "baselines"))
    arms = sweep_arms(
        tuple(filter(None, args.by.split(","))),
        args.keep,
        args.drop_hardest,
        per_class=args.per_class,
        baselines=given.pop("baselines", BASELINES),
    )
    return _laid_out(args, Plan(arms, **given))


def _check_run(args: Namespace) -> None:
    if not args.run:
        raise SettingError(f"Which scoring run shall select? Name it: {args.verb} RUN, or {args.verb} latest")


def _laid_out(args: Namespace, plan: Plan, ids: dict[str, list[str]] | None = None) -> RunFolder:
    """Return the run of a plan on the named scoring run."""
    scored = find_run_folder(args.workspace, args.run, "score")
    decisions = _decisions(args, scored)
    return lay_out_plan(args.workspace, scored, plan, decisions=decisions, ids=ids, reuse=args.reuse)


def _given(args: Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the options that were given, baselines as a tuple."""
    values = {name: getattr(args, name) for name in names}
    if values.get("baselines") is not None:
        values["baselines"] = tuple(filter(None, values["baselines"].split(",")))
    return {name: value for name, value in values.items() if value is not None}


def _decisions(args: Namespace, scored: RunFolder) -> pd.DataFrame | None:
    """Return the effective decisions on the run's data set where they are asked for."""
    if not args.decisions:
        return None

    with opened(args.workspace) as store:
        info = read_run(store, scored.run_id).dataset if has_run(store, scored.run_id) else None
        dataset_id = (info or scored.config().dataset).dataset_id
        return list_effective_decisions(store, dataset_id)


def results(args: Namespace) -> Answer:
    """Return the results of a retraining, finished or not."""
    folder = find_run_folder(args.workspace, args.run, "retrain")
    if args.out:
        write_frame(plan_results(folder).trainings, Path(args.out).expanduser())
    answer = retrained(retrain_summary(folder))
    return Answer(answer.content | {"file": args.out}, answer.text)
