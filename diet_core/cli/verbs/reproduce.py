"""The verb that reproduces a figure or table of the paper."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from diet_core.cli.verbs.data import ingest_if_free, opened
from diet_core.cli.verbs.output import Answer, listing, meanings, note
from diet_core.dataset import DatasetInfo
from diet_core.errors import RunStateError, SettingError
from diet_core.paper.request import FIGURES, SCALES, Request, part_of
from diet_core.paper.runs import guessed_speed, seconds_of
from diet_core.runs import executor
from diet_core.runs.cost import Speed, duration_in_words
from diet_core.runs.estimate import begin, measurement
from diet_core.runs.executor import show_progress
from diet_core.runs.folder import RunFolder
from diet_core.store.loading.datasets import find_dataset, read_examples

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.paper.reproduce import Reproduction

PAUSE: Final = 0.5  # seconds between two looks at a measurement


def add_verbs(verb: Callable[..., Callable[..., Any]]) -> None:
    """Add `reproduce` to the parser."""
    add = verb(
        "reproduce", reproduce, "reproduce a figure or table of the paper as data, pictures and report"
    )
    add("figure", choices=FIGURES, metavar="FIGURE", help=f"one of: {', '.join(FIGURES)}")
    add("--dataset", required=True, metavar="NAME", help="an imported data set")
    add(
        "--scale",
        choices=list(SCALES),
        default="small",
        help=f"default: small: {meanings({name: scale.meaning for name, scale in SCALES.items()})}",
    )
    add("--out", required=True, metavar="DIR", help="folder of the files; the same call goes on after a stop")
    add("--model", metavar="NAME_OR_DIR", help="default: minilm; of the scale full bert-base-uncased")
    add(
        "--limit", type=int, metavar="N", help="training rows, drawn with a fixed seed (default: the scale's)"
    )
    add("--no-texts", action="store_true", help="write no text of the data set, to publish the files")
    add("--yes", action="store_true", help="start the scale full although there is no GPU")
    add(
        "--allow-other-environment",
        action="store_true",
        help="go on although device, threads or versions have changed",
    )


def reproduce(args: Namespace) -> Answer:
    """Reproduce a figure, or go on with it."""
    from diet_core.paper.reproduce import check_folder
    from diet_core.paper.reproduce import reproduce as carry_out

    request = Request(args.figure, args.dataset, args.scale, args.model, args.limit)
    with opened(args.workspace) as store:
        info = find_dataset(store, request.dataset)
        examples = read_examples(store, info.dataset_id)
    out = Path(args.out).expanduser()
    check_folder(out, request, info)
    _tell_cost(args, request, info, examples)
    made = carry_out(
        args.workspace,
        info,
        examples,
        request,
        out,
        lambda folder: _finish(args, folder),
        with_texts=not args.no_texts,
    )
    ingest_if_free(args.workspace)
    return _answer(request, made)


def _answer(request: Request, made: Reproduction) -> Answer:
    trends = [trend.in_words for trend in made.figure.trends]
    content = {
        "figure": request.figure,
        "dataset": request.dataset,
        "scale": request.scale,
        "rows": len(made.figure.rows),
        "files": [str(file) for file in made.files],
        "runs": made.runs,
        "sentences": made.figure.sentences,
        "trends": [vars(trend) for trend in made.figure.trends],
        "settings": made.settings,
    }
    head = f"{request.figure} of {request.dataset}, scale {request.scale}: {len(made.figure.rows):,} rows"
    parts = [head, *made.figure.sentences, listing(trends), listing(str(file) for file in made.files)]
    return Answer(content, "\n".join(filter(None, parts)))


def _finish(args: Namespace, folder: RunFolder) -> None:
    """Start a run or go on with it, and wait for its end."""
    note(f"Run {folder.run_id}")
    if not folder.status().is_living:
        executor.resume(folder, allow_other_environment=args.allow_other_environment)
    show_progress(folder, sys.stderr.isatty() or not args.json)


def _tell_cost(args: Namespace, request: Request, info: DatasetInfo, examples: pd.DataFrame) -> None:
    """Say how long it takes before it starts; the scale full without a GPU needs a yes."""
    from diet_core.training import devices, models

    part = part_of(examples, request)
    models.find_model(request.training.model)  # one that cannot be loaded needs no estimate
    speed, source = _speed(args, request, info, part)
    seconds = None if speed is None else seconds_of(request, part, speed)
    duration = "an unknown time" if seconds is None else f"about {duration_in_words(seconds)}"
    cost = f"{duration} ({source})"
    if request.scale == "full" and not args.yes and devices.resolve(request.training).device == "cpu":
        raise SettingError(
            f"{request.figure} at the scale full takes {cost}, and there is no GPU. "
            "Add --yes to start it, or choose --scale small."
        )
    note(f"{request.figure} of {request.dataset}: {cost}; what is done already is not repeated")


def _speed(
    args: Namespace, request: Request, info: DatasetInfo, part: pd.DataFrame
) -> tuple[Speed | None, str]:
    """Return the speed of this machine and where it is from; for the scale full it is measured."""
    measured = measurement(args.workspace, info.dataset_id, request.training)
    if request.scale == "full" and measured.speed() is None:
        note("Measuring the speed of this machine …")
        try:
            begin(measured, info, part, request.training)
        except RunStateError as error:  # it is being measured already
            note(str(error))
        while measured.is_running():
            time.sleep(PAUSE)
    if (speed := measured.speed()) is not None:
        return speed, "by what was measured on this machine"
    if request.scale == "full":
        note(f"It could not be measured. {measured.error()}")
        return None, "it could not be measured"
    guess = guessed_speed(request, part)
    return guess, "a guess" if guess else "it was not measured here"
