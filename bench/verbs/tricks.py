"""`bench tricks`: its figures as the command line tells them."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import Any, Final

from diet_core.cli.verbs.data import only_dataset, opened
from diet_core.cli.verbs.output import Answer, note, table
from diet_core.config import TrainingConfig
from diet_core.errors import SettingError
from diet_core.runs.executor import WAITING
from diet_core.store.loading.datasets import find_dataset, list_datasets, read_examples

ROWS: Final = 1_000_000
TEXTS: Final = 1_000
ROUNDS: Final = 10
OF_PAGES: Final = ("remembered-searches", "run-cache", "no-collection")
OF_TRAINING: Final = ("cheap-dropout", "first-token", "packed-weights")


def bench_tricks(args: Namespace) -> Answer:
    """Switch each speed trick off alone."""
    names, rounds = _names(args.only), args.rounds or ROUNDS
    found: dict[str, Any] = {}
    if of_training := [name for name in names if name in OF_TRAINING]:
        found |= _of_training(args, of_training, rounds)
    if of_pages := [name for name in names if name in OF_PAGES]:
        from bench.tricks.pages import bench_page_tricks

        found |= bench_page_tricks(args.rows or ROWS, of_pages, rounds, note)
    return Answer({"bench": "tricks", "rows": args.rows or ROWS, "tricks": found}, _text(found))


def _names(only: str | None) -> tuple[str, ...]:
    known = (*OF_TRAINING, *OF_PAGES)
    chosen = known if only is None else tuple(only.split(","))
    if unknown := [name for name in chosen if name not in known]:
        raise SettingError(f"--only has {unknown[0]!r}. Choose some of: {', '.join(known)}.")
    return chosen


def _of_training(args: Namespace, names: list[str], rounds: int) -> dict[str, Any]:
    os.environ.update(WAITING)  # before torch is loaded, which reads it once: as the worker of a run has it
    from bench.inputs import prepare
    from bench.tricks.training import bench_training_tricks

    with opened(args.workspace) as store:
        info = find_dataset(store, args.dataset or only_dataset(list_datasets(store)))
        examples = read_examples(store, info.dataset_id)
    texts = min(args.rows or TEXTS, TEXTS)
    inputs = prepare(examples, info.classes, texts, TrainingConfig(model=args.model))
    return bench_training_tricks(inputs, names, rounds, note)


def _text(found: dict[str, Any]) -> str:
    rows = []
    for name, figures in found.items():
        controls = {"": figures} if "processor" in figures else figures
        rows += [
            _row(f"{name}: {control}" if control else name, of_one) for control, of_one in controls.items()
        ]
    headings = {"name": "trick", "with": "p95 ms", "without": "without", "processor": "processor without"}
    return table(rows, headings | {"is_needed": "needed"})


def _row(name: str, figures: dict[str, Any]) -> dict[str, str]:
    ratio = figures["processor"]
    ways = {way: f"{figures[way]['p95']:.0f}" if way in figures else "" for way in ("with", "without")}
    times = f"{ratio['median']:.2f} × ({ratio['low']:.2f} to {ratio['high']:.2f})"
    return {"name": name, **ways, "processor": times, "is_needed": "yes" if figures["is_needed"] else "no"}
