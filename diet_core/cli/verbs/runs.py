"""Verbs about runs: status, cancel, runs; and what every verb that starts one has in common."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from diet_core.cli.verbs.data import ingest_if_free
from diet_core.cli.verbs.output import Answer, note, table
from diet_core.encoders import FROZEN, QUICK_LOOK, encoder_tag, with_tag
from diet_core.experiments.results import retrain_summary
from diet_core.runs import executor
from diet_core.runs.executor import show_progress
from diet_core.runs.folder import RunFolder, all_runs, find_run_folder
from diet_core.runs.summary import run_line, score_summary, status_line
from diet_core.tables import CHOICES
from diet_core.words import percent

Add = Callable[..., Any]


def add_verbs(verb: Callable[..., Add]) -> None:
    """Add `status`, `cancel` and `runs`."""
    add = verb("status", status, "say where a run stands")
    add("run", metavar="RUN")
    add = verb("cancel", cancel, "stop a run; it can be resumed")
    add("run", metavar="RUN")
    verb("runs", runs, "list the runs")


def add_following(add: Callable[..., Any]) -> None:
    """Add the options of every verb that starts a run."""
    add("--resume", metavar="RUN", help="go on with a run that was stopped")
    add("--detach", action="store_true", help="return at once; the run goes on in the background")
    add(
        "--allow-other-environment",
        action="store_true",
        help="resume although device, threads or versions have changed",
    )


def resumed(args: Namespace, kind: str) -> RunFolder:
    """Return the run that --resume names, its worker started again.

    Raises:
        DietError: If there is none of that kind, or it cannot go on.
    """
    folder = find_run_folder(args.workspace, args.resume, kind)
    executor.resume(folder, allow_other_environment=args.allow_other_environment)
    return folder


def followed(args: Namespace, folder: RunFolder) -> Answer:
    """Wait for the run unless detached, and return its results."""
    if args.detach:
        content = {"run_id": folder.run_id, "state": folder.status().state}
        return Answer(
            content, f"Run {folder.run_id} goes on in the background. Watch it with: status {folder.run_id}"
        )
    note(f"Run {folder.run_id}")
    show_progress(folder, sys.stderr.isatty() or not args.json)
    ingest_if_free(args.workspace)
    return finished(folder)


def finished(folder: RunFolder) -> Answer:
    """Return the results of a finished run."""
    if folder.config().kind == "score":
        return _scored(score_summary(folder))
    return retrained(retrain_summary(folder))


def _scored(summary: dict[str, Any]) -> Answer:
    seconds, accuracy = summary["seconds"] or {}, summary["accuracy"]
    lines = [
        f"Run {summary['run_id']} is {summary['state']}: {seconds.get('train', 0):.0f} s of training, "
        f"{seconds.get('score', 0):.0f} s of scoring",
        f"Accuracy on the test split: {percent(accuracy['mean'], accuracy['std'])}",
    ]
    if summary["encoder"] == FROZEN:
        lines.append(QUICK_LOOK)
    if summary["auto"]:
        lines.append(f"Seeds {summary['auto']}")
    if summary["folds"]:
        lines.append(
            f"{summary['folds']} folds: each example was also scored by models that did not train on it"
        )
    if len(summary["steps"]) > 1:
        lines.append(f"Scored at {len(summary['steps'])} steps, which this shows: steps {summary['run_id']}")
    if agreement := summary["seed_agreement"]:
        single = sum(agreement["single"]) / len(agreement["single"])
        n = len(agreement["single"])
        lines.append(
            f"EL2N of one seed and of the mean of {n}: Spearman {single:.3f}; estimated reliability of "
            f"{n} seeds: {agreement['reliability'][str(n)]:.3f}"
        )
    return Answer(summary, "\n".join(lines))


def retrained(summary: dict[str, Any]) -> Answer:
    """Return a retraining's `retrain_summary` as JSON, and as a table with its sentences for people."""
    head = with_tag(f"Run {summary['run_id']} is {summary['state']}", summary["encoder"])
    if not summary["arms"]:
        return Answer(summary, f"{head}\nNo training is finished yet.")
    headings = {"arm": "arm", "n_train": "examples", "steps": "steps"}
    headings |= {"accuracy": "accuracy", "macro_f1": "macro-F1", "runs": "accuracy of each repeat"}
    lines = [head, table([_row(arm) for arm in summary["arms"]], headings)]
    if summary["choose"] != "last":
        chosen = CHOICES[summary["choose"]]
        lines.append(f"{chosen[0].upper()}{chosen[1:]}.")
    return Answer(summary, "\n".join([*lines, *summary["sentences"]]))


def _row(arm: dict[str, Any]) -> dict[str, str | None]:
    return {
        "arm": arm["name"],
        "n_train": f"{arm['n_train']:,}",
        "steps": None if arm["steps"] is None else f"{arm['steps']:,}",
        "accuracy": percent(arm["mean"], arm["std"]),
        "macro_f1": percent(arm["macro_f1_mean"], arm["macro_f1_std"]),
        "runs": ", ".join(percent(value) for value in arm["accuracy"]),
    }


def runs(args: Namespace) -> Answer:
    """List the runs."""
    lines = [run_line(folder) for folder in all_runs(args.workspace)]
    headings = {name: name for name in ("run_id", "kind", "state", "step", "total", "encoder", "model")}
    rows = [line | {"encoder": encoder_tag(line.get("encoder"))} for line in lines]
    text = table(rows, headings) if lines else "No runs yet. Start one: python -m diet_core score DATASET"
    return Answer({"runs": lines}, text)


def status(args: Namespace) -> Answer:
    """Say where a run stands."""
    line = status_line(find_run_folder(args.workspace, args.run))
    at_most = "at most " if line["at_most"] else ""
    left = "" if line["eta_seconds"] is None else f", {at_most}about {line['eta_seconds']:.0f} s left"
    auto = f", {line['auto']}" if line["auto"] else ""
    error = f"\n{line['error']}" if line["error"] else ""
    step = f"step {line['step']} of {at_most}{line['total']}"
    return Answer(line, f"{line['run_id']}: {line['state']}, {step}{left}{auto}{error}")


def cancel(args: Namespace) -> Answer:
    """Stop a run; what is finished stays."""
    folder = find_run_folder(args.workspace, args.run)
    executor.cancel(folder)
    executor.stop_and_wait(folder)
    line = status_line(folder)
    kind = folder.config().kind
    return Answer(line, f"{folder.run_id} is {line['state']}. Go on with: {kind} --resume {folder.run_id}")
