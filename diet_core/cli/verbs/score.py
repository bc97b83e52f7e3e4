"""Verbs that score: score and demo."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from diet_core.cli.verbs.data import only_dataset, opened, sample
from diet_core.cli.verbs.output import Answer, meanings, note
from diet_core.cli.verbs.runs import add_following, finished, followed, resumed
from diet_core.cli.verbs.scores import scores_of, top
from diet_core.config import DEFAULT_MODEL, TrainingConfig
from diet_core.data.sample import SAMPLE_NAME, crowd_labels
from diet_core.encoders import ENCODERS
from diet_core.errors import RunStateError, SettingError
from diet_core.run_config import AUTO
from diet_core.runs import executor
from diet_core.runs.estimate import notes_before
from diet_core.runs.folder import RunFolder, all_runs, find_run_folder
from diet_core.runs.record import LIVING
from diet_core.runs.score_run import lay_out_scoring
from diet_core.runs.summary import ranked, run_line
from diet_core.store.loading.datasets import find_dataset, list_datasets, read_examples, read_source
from diet_core.tables import GRAND_SCOPES

Add = Callable[..., Any]
CROWD_TOP = 50
_SEEDS_HELP = (
    "how many trainings to average over (default: 5, as the paper); auto: from 2 to 10, until the scores are "
    "reliable"
)
_LR_HELP = (
    "default: 3e-5, as the paper; 2e-4 for encoders under 512 wide, as minilm; 2e-3 for the head of a frozen "
    "encoder"
)
_STEPS_HELP = (
    "optimizer steps to score at, the last one always: 0,100,200, every:N or epochs, also mixed with commas "
    "(default: last); each costs a pass over the examples, those of the first epoch are unreliable"
)
_FOLDS_HELP = (
    "deal the examples into K parts and score each also by models that trained on the others (default: 0, "
    "none); K more trainings per seed"
)
SETTINGS = ("model", "encoder", "epochs", "batch_size", "lr", "max_length", "device", "precision")
RUN_SETTINGS = ("seeds", "score_steps", "grand", "keep_models", "folds")


def add_verbs(verb: Callable[..., Add]) -> None:
    """Add `score` and `demo`."""
    add = verb("score", score, "fine-tune once per seed and score every training example")
    add("dataset", nargs="?", metavar="DATASET", help="may be left out if there is only one")
    add("--seeds", type=_seeds, default=5, metavar="N", help=_SEEDS_HELP)
    defaults = TrainingConfig()
    add("--model", metavar="NAME_OR_DIR", help=f"a hub name or a folder (default: {DEFAULT_MODEL}, embedded)")
    add("--encoder", choices=list(ENCODERS), help=f"default: {defaults.encoder}: {meanings(ENCODERS)}")
    add("--epochs", type=int, help=f"default: {defaults.epochs}, as the paper")
    add("--score-steps", default="last", metavar="STEPS", help=_STEPS_HELP)
    scopes = f"parameters of GraNd's gradient (default: classifier): {meanings(GRAND_SCOPES)}"
    add("--grand", choices=list(GRAND_SCOPES), default="classifier", help=scopes)
    add("--folds", type=int, default=0, metavar="K", help=_FOLDS_HELP)
    add("--batch-size", type=int, help=f"default: {defaults.batch_size}, as the paper")
    add("--lr", type=float, help=_LR_HELP)
    add("--max-length", type=int, help=f"tokens; longer texts are cut (default: {defaults.max_length})")
    add("--device", help="auto, cpu, mps, cuda or cuda:N (default: auto)")
    add("--precision", help="of training: auto, float32 or bf16 (default: auto); scoring is float32")
    add("--keep-models", action="store_true", help="keep each seed's weights")
    add_following(add)
    add = verb("demo", demo, "bring the sample, score it, show both ends of the ranking")
    add("--seeds", type=int, default=3, help="default: 3")
    add("--port", type=int, default=8501, help="of the app, for the address that is printed (default: 8501)")


def _seeds(text: str) -> int | str:
    """Return a number of seeds, or `auto`."""
    if text == AUTO:
        return text
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number nor {AUTO}") from error


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

    training = TrainingConfig(
        **{name: getattr(args, name) for name in SETTINGS if getattr(args, name) is not None}
    )
    with opened(args.workspace) as store:
        info = find_dataset(store, args.dataset or only_dataset(list_datasets(store)))
        examples = read_examples(store, info.dataset_id)
    folder = lay_out_scoring(
        args.workspace,
        info,
        examples,
        training=training,
        **{name: getattr(args, name) for name in RUN_SETTINGS},
    )
    for message in notes_before(folder, examples):
        note(message)
    return folder


def demo(args: Namespace) -> Answer:
    """Bring the sample, score it unless that is done, and show both ends of the ranking."""
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
    with opened(args.workspace) as store:
        crowd = crowd_labels(read_source(store, find_dataset(store, SAMPLE_NAME).dataset_id))
    _, frame, _ = scores_of(Namespace(workspace=args.workspace, run=folder.run_id, step=None))
    return sum(row["label"] != crowd[row["example_id"]] for row in ranked(frame, "el2n", CROWD_TOP))


def _demo_run(args: Namespace, name: str) -> RunFolder:
    """Return the newest finished scoring run of the sample; else go on with the last one, else start one."""
    lines = [run_line(f) for f in all_runs(args.workspace)]
    ours = [line for line in lines if line.get("dataset") == name and line.get("kind") == "score"]
    if done := [line for line in ours if line["state"] == "done"]:
        return find_run_folder(args.workspace, done[0]["run_id"])
    folder = (_gone_on(args, ours[0]) if ours else None) or _started_demo(args, name)
    followed(Namespace(workspace=args.workspace, detach=False, json=False), folder)
    return folder


def _gone_on(args: Namespace, last: dict[str, Any]) -> RunFolder | None:
    """Return the last run if it lives or can go on, and let it."""
    folder = find_run_folder(args.workspace, last["run_id"])
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
