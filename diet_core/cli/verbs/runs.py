"""Verbs about runs: score, status, cancel, runs, demo."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from diet_core.cli.verbs.data import ingest_if_free, opened
from diet_core.cli.verbs.output import Answer, note, percent, table
from diet_core.cli.verbs.plan_answers import told
from diet_core.cli.verbs.score import scores_of, top
from diet_core.config import TrainingConfig
from diet_core.encoders import FROZEN, QUICK_LOOK, encoder_tag
from diet_core.errors import NotFoundError, RunStateError, SettingError
from diet_core.experiments.results import retrain_summary
from diet_core.runs import executor
from diet_core.runs.folder import LIVING, RunFolder, all_runs, find_run
from diet_core.runs.summary import ranked, run_line, score_summary, status_line
from diet_core.store.loading.datasets import find_dataset, list_datasets, read_examples, read_source

CROWD_TOP = 50
SETTINGS = ("model", "encoder", "epochs", "batch_size", "lr", "max_length", "device", "precision")


def score(args: Namespace) -> Answer:
    """Score a data set, or go on with a run."""
    if args.resume:
        if args.dataset:
            raise SettingError(f"--resume goes on with its own data set. Leave out {args.dataset!r}.")
        folder = resumed(args, "score")
    else:
        folder = _planned_score(args)
        executor.start(folder)
    return followed(args, folder)


def _planned_score(args: Namespace) -> RunFolder:
    from diet_core.runs.estimate import notes_before
    from diet_core.runs.score_run import plan_scoring

    training = TrainingConfig(
        **{name: getattr(args, name) for name in SETTINGS if getattr(args, name) is not None}
    )
    with opened(args.workspace) as store:
        info = find_dataset(store, args.dataset or only_dataset(list_datasets(store)))
        examples = read_examples(store, info.dataset_id)
    folder = plan_scoring(
        args.workspace,
        info,
        examples,
        seeds=args.seeds,
        training=training,
        score_steps=args.score_steps,
        grand=args.grand,
        keep_models=args.keep_models,
        folds=args.folds,
    )
    for message in notes_before(folder, examples):
        note(message)
    return folder


def only_dataset(lines: list[Any]) -> str:
    """Return the name of the only data set.

    Raises:
        NotFoundError: If there is none, or several.
    """
    names: list[str] = sorted({line.info.name for line in lines})
    if len(names) != 1:
        raise NotFoundError(
            f"No data set was named, and there is {', '.join(names) if names else 'none yet'}. "
            "Import one first, or name it: score DATASET"
        )
    return names[0]


def add_following(add: Callable[..., Any]) -> None:
    """Add the options of every verb that starts a run."""
    add("--resume", metavar="RUN", help="go on with a run that was stopped")
    add("--detach", action="store_true", help="return at once; the run goes on by itself")
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
    folder = find_run(args.workspace, args.resume, kind)
    executor.resume(folder, allow_other_environment=args.allow_other_environment)
    return folder


def followed(args: Namespace, folder: RunFolder) -> Answer:
    """Wait for the run unless detached, and say what came of it."""
    if args.detach:
        content = {"run_id": folder.run_id, "state": folder.status()["state"]}
        return Answer(
            content, f"Run {folder.run_id} goes on by itself. Watch it with: status {folder.run_id}"
        )
    note(f"Run {folder.run_id}")
    from diet_core.runs.progress_bar import show_progress

    show_progress(folder, sys.stderr.isatty() or not args.json)
    ingest_if_free(args.workspace)
    return finished(folder)


def finished(folder: RunFolder) -> Answer:
    """Return what came of a finished run."""
    if folder.config()["kind"] == "score":
        return _scored(score_summary(folder))
    return told(retrain_summary(folder))


def _scored(summary: dict[str, Any]) -> Answer:
    seconds, accuracy = summary["seconds"] or {}, summary["accuracy"]
    lines = [
        f"Run {summary['run_id']} is {summary['state']}: {seconds.get('train', 0):.0f} s of training, "
        f"{seconds.get('score', 0):.0f} s of scoring",
        f"Accuracy on the test split: {percent(accuracy['mean'])}"
        + (f" ± {100 * accuracy['std']:.2f}" if accuracy["std"] is not None else ""),
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


def runs(args: Namespace) -> Answer:
    """List the runs."""
    lines = [run_line(folder) for folder in all_runs(args.workspace)]
    headings = {name: name for name in ("run_id", "kind", "state", "step", "total", "encoder", "model")}
    rows = [line | {"encoder": encoder_tag(line.get("encoder"))} for line in lines]
    text = table(rows, headings) if lines else "No runs yet. Start one: python -m diet_core score DATASET"
    return Answer({"runs": lines}, text)


def status(args: Namespace) -> Answer:
    """Say where a run stands."""
    line = status_line(find_run(args.workspace, args.run))
    at_most = "at most " if line["at_most"] else ""
    left = "" if line["eta_seconds"] is None else f", {at_most}about {line['eta_seconds']:.0f} s left"
    auto = f", {line['auto']}" if line["auto"] else ""
    error = f"\n{line['error']}" if line["error"] else ""
    step = f"step {line['step']} of {at_most}{line['total']}"
    return Answer(line, f"{line['run_id']}: {line['state']}, {step}{left}{auto}{error}")


def cancel(args: Namespace) -> Answer:
    """Stop a run; what is finished stays."""
    folder = find_run(args.workspace, args.run)
    executor.cancel(folder)
    executor.stop_and_wait(folder)
    line = status_line(folder)
    kind = folder.config()["kind"]
    return Answer(line, f"{folder.run_id} is {line['state']}. Go on with: {kind} --resume {folder.run_id}")


def demo(args: Namespace) -> Answer:
    """Bring the sample, score it unless that is done, and show both ends of the ranking."""
    from diet_core.cli.verbs.data import sample
    from diet_core.data.sample import SAMPLE_NAME

    note(sample(Namespace(workspace=args.workspace, name=SAMPLE_NAME, overwrite=False)).text)
    folder = _demo_run(args, SAMPLE_NAME)
    note(finished(folder).text)
    answer = top(Namespace(workspace=args.workspace, run=folder.run_id, step=None, by="el2n", n=3, both=True))
    found = _crowd_contradicts(args, folder)
    text = (
        f"{answer.text}\n\nThe crowd contradicts the label of {found} of the {CROWD_TOP} tweets with the "
        f"highest EL2N.\nIn the app: http://127.0.0.1:{args.port}/explore?run={folder.run_id}"
    )
    return Answer(answer.content | {"crowd_contradicts": found}, text)


def _crowd_contradicts(args: Namespace, folder: RunFolder) -> int:
    """Return for how many of the highest EL2N scores the crowd's label is another one."""
    from diet_core.data.sample import SAMPLE_NAME, crowd_labels

    with opened(args.workspace) as store:
        crowd = crowd_labels(read_source(store, find_dataset(store, SAMPLE_NAME).dataset_id))
    _, frame, _ = scores_of(Namespace(workspace=args.workspace, run=folder.run_id, step=None))
    return sum(row["label"] != crowd[row["example_id"]] for row in ranked(frame, "el2n", CROWD_TOP))


def _demo_run(args: Namespace, name: str) -> RunFolder:
    """Return the newest finished scoring run of the sample; else go on with the last one, else start one."""
    lines = [run_line(f) for f in all_runs(args.workspace)]
    ours = [line for line in lines if line.get("dataset") == name and line.get("kind") == "score"]
    if done := [line for line in ours if line["state"] == "done"]:
        return find_run(args.workspace, done[0]["run_id"])
    folder = (_gone_on(args, ours[0]) if ours else None) or _started_demo(args, name)
    followed(Namespace(workspace=args.workspace, detach=False, json=False), folder)
    return folder


def _gone_on(args: Namespace, last: dict[str, Any]) -> RunFolder | None:
    """Return the last run if it lives or can go on, and let it."""
    folder = find_run(args.workspace, last["run_id"])
    if last["state"] in LIVING:
        return folder
    if last["state"] in ("interrupted", "cancelled"):
        with suppress(RunStateError):  # of another environment
            executor.resume(folder)
            return folder
    return None


def _started_demo(args: Namespace, name: str) -> RunFolder:
    settings = dict.fromkeys(SETTINGS) | {"score_steps": "last", "grand": "classifier"}
    settings |= {"keep_models": False, "folds": 0}
    folder = _planned_score(Namespace(workspace=args.workspace, dataset=name, seeds=args.seeds, **settings))
    executor.start(folder)
    return folder
