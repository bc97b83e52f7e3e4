"""What is held in memory of a run for its review: every card then takes milliseconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from diet_core.errors import RunStateError
from diet_core.review.seeds import readable_folder
from diet_core.runs.fact_files import finished_trainings, read_out_of_fold, read_steps
from diet_core.runs.facts import class_numbers, finished_seeds
from diet_core.runs.folder import RunFolder
from diet_core.scoring.label_confusions import label_confusions, true_class_probs
from diet_core.scoring.labels import mean_probs
from diet_core.scoring.neighbours import Vectors, unit_vectors
from diet_core.store.loading.runs import read_run
from diet_core.store.queries.cards import read_card_scores, read_el2n_at
from diet_core.store.queries.one_example import list_steps_and_seeds
from diet_core.store.store import Store

MOST_SEARCHED: Final = 200_000
FEWEST_STEPS: Final = 3
_PART: Final = 8_192  # rows worked on at once: probabilities are made in float64, features in float32


@dataclass(frozen=True)
class EnsembleProbs:
    """Predictions of the models of all seeds at the last step; out of fold where the run has folds.

    Attributes:
        probs: How likely each class is the right one by the ranking's posterior: the mean over seeds, the
            label and the estimated confusions considered; float32, shape (n_examples, n_classes).
        n_agree: How many seeds predict the class that is the likeliest on the mean, shape (n_examples,).
        n_seeds: How many there are.
    """

    probs: NDArray[np.float32]
    n_agree: NDArray[np.int64]
    n_seeds: int


@dataclass(frozen=True)
class Neighbourhood:
    """The features that neighbours are searched by.

    Attributes:
        vectors: Of unit length, float32, shape (n_searched, width).
        searched: Their rows among all examples, ascending, shape (n_searched,).
        queries: Of all examples, shape (n_examples, width); in float16 where not all are searched.
    """

    vectors: Vectors
    searched: NDArray[np.int64]
    queries: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class CardData:
    """A scored run in memory. All rows are in the order of ties of every ranking.

    Attributes:
        run_id: Which run.
        dataset_id: The data set version with its texts.
        has_folds: Whether probabilities and scores are those of models that did not train on the example.
        classes: Class names; empty where the run's folder is gone.
        examples: From `store.queries.cards.read_card_scores`.
        rows: Each example's row by its id.
        example_ids: Shape (n_examples,).
        positions: Of the examples in their data set, shape (n_examples,).
        labels: The given ones, shape (n_examples,).
        text_keys: Equal for texts that differ in case and white space only, shape (n_examples,).
        text_order: Rows in the order of their keys, so that equal texts stand together.
        sorted_keys: The keys in that order.
        steps: The recorded ones; none with fewer than three, which make no sparkline.
        el2n: At each of these steps, the mean over seeds, float32, shape (n_examples, n_steps).
        ensemble: What the seeds predict; None where the run's folder is gone.
        neighbourhood: None where there are no features.
    """

    run_id: str
    dataset_id: str
    has_folds: bool
    classes: tuple[str, ...]
    examples: pd.DataFrame
    rows: Mapping[str, int]
    example_ids: NDArray[np.object_]
    positions: NDArray[np.int64]
    labels: NDArray[np.object_]
    text_keys: NDArray[np.uint64]
    text_order: NDArray[np.int64]
    sorted_keys: NDArray[np.uint64]
    steps: tuple[int, ...]
    el2n: NDArray[np.float32]
    ensemble: EnsembleProbs | None
    neighbourhood: Neighbourhood | None

    @property
    def n_searched(self) -> int:
        """Among how many examples neighbours by features are searched."""
        return 0 if self.neighbourhood is None else len(self.neighbourhood.searched)


def load_card_data(store: Store, run_id: str, *, most_searched: int = MOST_SEARCHED) -> CardData:
    """Return what the cards of a run are made of; two or three seconds for 100,000 examples.

    Args:
        store: Where.
        run_id: A scoring run.
        most_searched: Of more examples than this a sample of so many (by a seed, always the same) is searched
            for neighbours.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    run = read_run(store, run_id)
    examples = read_card_scores(store, run_id)
    keys = examples.pop("text_key").to_numpy(np.uint64)
    order = np.argsort(keys, kind="stable")
    ids = examples["example_id"].to_numpy(object)
    rows = {example_id: row for row, example_id in enumerate(ids)}
    folder = readable_folder(store, run_id)
    steps = list_steps_and_seeds(store, run_id)["step"].drop_duplicates().tolist()
    if len(steps) < FEWEST_STEPS:
        steps = []
    with ThreadPoolExecutor(1) as beside:  # unpacking the features takes half of the time, on one core
        near = beside.submit(_neighbourhood, folder, rows, most_searched)
        el2n = read_el2n_at(store, run_id, steps, rows)
        ensemble = None if folder is None else _ensemble(folder, examples, run.has_folds)
    return CardData(
        run_id=run_id,
        dataset_id=run.dataset.dataset_id,
        has_folds=run.has_folds,
        classes=() if folder is None else folder.config().dataset.classes,
        examples=examples,
        rows=rows,
        example_ids=ids,
        positions=examples["position"].to_numpy(np.int64),
        labels=examples["label"].to_numpy(object),
        text_keys=keys,
        text_order=order,
        sorted_keys=keys[order],
        steps=tuple(steps),
        el2n=el2n,
        ensemble=ensemble,
        neighbourhood=near.result(),
    )


def _ensemble(folder: RunFolder, examples: pd.DataFrame, has_folds: bool) -> EnsembleProbs | None:
    """Return the predictions of all seeds; None where a file is gone."""
    classes = folder.config().dataset.classes
    predicted = class_numbers(examples["predicted_label"], classes)
    total = np.zeros((len(examples), len(classes)), np.float32)
    n_agree, n_seeds = np.zeros(len(examples), np.int64), 0
    try:
        for logits in _logits(folder, examples["example_id"], len(classes), has_folds):
            probs = np.empty_like(logits)
            for start in range(0, len(logits), _PART):
                probs[start : start + _PART] = mean_probs(logits[None, start : start + _PART])
            total += probs
            n_agree += probs.argmax(axis=1) == predicted
            n_seeds += 1
    except RunStateError:
        return None
    if not n_seeds:
        return None
    total /= np.float32(n_seeds)
    labels = class_numbers(examples["label"], classes)
    confusions = label_confusions(total, labels)
    for start in range(0, len(total), _PART):
        part = slice(start, start + _PART)
        total[part] = true_class_probs(total[part], labels[part], confusions)
    return EnsembleProbs(total, n_agree, n_seeds)


def _logits(
    folder: RunFolder, example_ids: pd.Series, n_classes: int, has_folds: bool
) -> Iterator[NDArray[np.float32]]:
    """Yield each seed's logits at its last step, shape (n_examples, n_classes).

    Raises:
        RunStateError: If a file cannot be read.
    """
    finished = finished_trainings(folder)
    if has_folds:
        oof = read_out_of_fold(folder, finished, example_ids, n_classes)
        yield from () if oof is None else oof
        return
    for name in finished_seeds(folder):
        step = finished[name]["steps"][-1:]
        yield read_steps(folder, [name], step, example_ids, n_classes, "classifier")["logits"][0, 0]


def _neighbourhood(
    folder: RunFolder | None, rows: Mapping[str, int], most_searched: int
) -> Neighbourhood | None:
    """Return the features to search; None where there are none, or not of all examples."""
    trainings = () if folder is None else folder.config().trainings
    if folder is None or not trainings:
        return None
    file = folder.training_folder(trainings[0].name) / "features.parquet"
    kept = np.float32 if len(rows) <= most_searched else np.float16
    try:
        vectors = _unit_vectors(file, rows, kept)
    except (OSError, pa.ArrowException):
        return None
    if vectors is None:
        return None
    if len(rows) <= most_searched:
        return Neighbourhood(vectors, np.arange(len(rows)), vectors)
    chosen = np.random.default_rng(0).choice(len(rows), most_searched, replace=False)
    searched = np.sort(chosen)
    return Neighbourhood(unit_vectors(vectors[searched]), searched, vectors)


def _unit_vectors(file: Path, rows: Mapping[str, int], kept: type[np.floating[Any]]) -> NDArray[Any] | None:
    """Return features of unit length in the order of `rows`; read in parts, which takes a third of memory."""
    with pq.ParquetFile(file) as table:
        ids = table.read(columns=["example_id"]).column(0).to_pylist()
        places = np.array([rows.get(example_id, -1) for example_id in ids], np.int64)
        width = table.schema_arrow.field("features").type.list_size
        if len(np.unique(places[places >= 0])) < max(1, len(rows)):
            return None
        vectors, start = np.empty((len(rows), width), kept), 0
        for part in table.iter_batches(_PART, columns=["features"]):
            flat = part.column(0).flatten().to_numpy(zero_copy_only=False)
            place = places[start : start + len(part)]
            vectors[place[place >= 0]] = unit_vectors(flat.reshape(-1, width))[place >= 0]
            start += len(part)
    return vectors
