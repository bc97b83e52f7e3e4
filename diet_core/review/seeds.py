"""The seeds of a scoring run one by one: their predictions of an example, their agreement on all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from diet_core.errors import DietError, NotFoundError
from diet_core.run_config import FOLD
from diet_core.runs.fact_files import finished_trainings, step_file
from diet_core.runs.folder import RunFolder, open_folder
from diet_core.scoring.agreement import seed_agreement
from diet_core.scoring.el2n import log_softmax
from diet_core.store.loading.runs import read_run
from diet_core.store.queries.one_example import find_example, read_seed_matrix, read_seed_scores

if TYPE_CHECKING:
    from diet_core.store.store import Store


def example_seeds(
    store: Store, run_id: str, example_id: str, label: str, *, out_of_fold: bool = False
) -> pd.DataFrame:
    """Return what each seed says of one example at its last step.

    What the store does not hold (another label's probability, predictions out of fold, runs that an older
    version loaded) is read from the run's facts: for 100,000 examples about 10 ms a seed.

    Args:
        store: Where.
        run_id: A scoring run.
        example_id: One of its training examples.
        label: The class whose probability is wanted, mostly the given one.
        out_of_fold: Predictions are those of each seed's model that did not train on the example.

    Returns:
        One row per seed: seed, el2n, grand, predicted_label, label_probability; the last two are null
        where the run's folder is gone. No row for an example that the run did not score.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    found = read_seed_scores(store, run_id, example_id)
    scores = found.drop(columns=["predicted", "label_probability"])
    if not out_of_fold and found["predicted"].notna().all() and label == _label(store, run_id, example_id):
        classes = np.array(read_run(store, run_id).dataset.classes, dtype=object)
        predicted = pd.Series(classes[found["predicted"].astype("int64")], found.index, dtype="str")
        probability = found["label_probability"].astype("float64")
        return scores.assign(predicted_label=predicted, label_probability=probability)
    predictions = pd.DataFrame(
        _predictions(store, run_id, example_id, label, out_of_fold),
        columns=["seed", "predicted_label", "label_probability"],
    ).astype({"seed": "int64", "predicted_label": "str", "label_probability": "float64"})
    return scores.merge(predictions, on="seed", how="left")


def _label(store: Store, run_id: str, example_id: str) -> str | None:
    """Return the label that the run knows an example by."""
    try:
        return str(find_example(store, run_id, example_id)["label"])
    except NotFoundError:
        return None


def run_agreement(store: Store, run_id: str) -> dict[str, Any] | None:
    """Return `scoring.agreement.seed_agreement` of a run's EL2N at the last step; None with one seed.

    The worker wrote it into the run's folder; where that is gone it is computed again (about a second for
    five seeds and 100,000 examples).

    Raises:
        NotFoundError: If the run is not loaded.
    """
    folder = readable_folder(store, run_id)
    if folder is not None and ((status := folder.status()).seed_agreement or status.flows is not None):
        return status.seed_agreement
    scores = read_seed_matrix(store, run_id)
    return seed_agreement(scores) if len(scores) else None


def run_confusions(store: Store, run_id: str) -> list[dict[str, Any]]:
    """Return the estimated confusions of labels of a run, as `runs.scores.estimated_confusions`.

    Empty for a run whose worker has not written them, or whose folder is gone.
    """
    folder = readable_folder(store, run_id)
    return list(folder.status().flows or []) if folder is not None else []


def readable_folder(store: Store, run_id: str) -> RunFolder | None:
    """Return a run's folder; None where it is gone or its configuration or status cannot be read."""
    try:
        folder = open_folder(store.workspace.run_folder(run_id))
        folder.config(), folder.status()
    except DietError:
        return None
    return folder


def _predictions(
    store: Store, run_id: str, example_id: str, label: str, out_of_fold: bool
) -> list[tuple[int, str, float]]:
    """Return the seed, its prediction and the given label's probability, per finished seed.

    Of a seed's folds only one has scored the example.
    """
    folder = readable_folder(store, run_id)
    if folder is None:
        return []
    classes = folder.config().dataset.classes
    found = []
    for name, result in finished_trainings(folder).items():
        if (result.get("arm") == FOLD) != out_of_fold:
            continue
        logits = _logits(folder, name, result["steps"][-1], example_id)
        if logits is not None:
            probs = np.exp(log_softmax(logits))
            found.append((result["seed"], classes[int(probs.argmax())], float(probs[classes.index(label)])))
    return found


def _logits(folder: RunFolder, training: str, step: int, example_id: str) -> list[float] | None:
    file = step_file(folder, training, step)
    if not file.exists():
        return None
    # Twice as fast as a filter of `read_table`, which also costs a second at its first use.
    with pq.ParquetFile(file) as facts:
        row = pc.index(facts.read(columns=["example_id"]).column(0), example_id).as_py()
        if row < 0:
            return None
        logits: list[float] = facts.read(columns=["logits"]).column(0)[row].as_py()
        return logits
