"""Runs in the store: what run folders hold, loaded whole or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from diet_core.errors import NotFoundError
from diet_core.run_config import RunConfig, config_from_json, config_to_json
from diet_core.store.loading.align import align_scores, find_seed_positions
from diet_core.store.loading.arrow_schemas import (
    METRICS_COLUMNS,
    metrics_table,
    scores_table,
    seed_scores_table,
    top_class_counts_table,
)
from diet_core.store.loading.datasets import list_versions
from diet_core.store.loading.ranks import RANKS, correlations_table, with_ranks
from diet_core.tables import OOF_COLUMNS, OOF_SUSPICION, SCORE_COLUMNS, SUSPICION

if TYPE_CHECKING:
    from diet_core.dataset import DatasetInfo
    from diet_core.store.store import Store

_OF_EXAMPLES: Final = ("text", "text_pair")
# How the tables of a run are filled; runs that were loaded by an older layout are loaded again.
LAYOUT: Final = 3


@dataclass(frozen=True)
class RunRecord:
    """What the store knows of a run beside its tables.

    Attributes:
        run_id: Its name and its folder's.
        dataset: The version that it was made from.
        kind: score or retrain.
        config: What it was told.
        state: One of `tables.RUN_STATES`.
        created_at: UTC.
        finished_at: UTC; None while it has not ended.
    """

    run_id: str
    dataset: DatasetInfo
    kind: str
    config: RunConfig
    state: str
    created_at: datetime
    finished_at: datetime | None = None

    @property
    def grand(self) -> str:
        """The run's scope of GraNd, one of `tables.GRAND_SCOPES`."""
        return self.config.grand

    @property
    def encoder(self) -> str:
        """What became of the encoder, one of `encoders.ENCODERS`."""
        return self.config.settings.encoder

    @property
    def has_folds(self) -> bool:
        """Whether models that did not train on an example scored it too."""
        return bool(self.config.folds)

    @property
    def suspicion(self) -> str:
        """The score that orders the run's likely label errors: out of fold where there is one."""
        return OOF_SUSPICION if self.has_folds else SUSPICION


def ingest_run(
    store: Store,
    run: RunRecord,
    scores: pd.DataFrame,
    seed_scores: pd.DataFrame,
    metrics: pd.DataFrame,
    top_class_counts: pd.DataFrame | None = None,
) -> None:
    """Load a run in one transaction. Loading it again replaces it.

    Args:
        store: Where.
        run: What it is; its data set version is in the store already (`adopt_dataset`).
        scores: One row per training example, columns of `tables.SCORE_COLUMNS` and `OOF_COLUMNS`; text is
            taken from the examples, and so is the label where the column is missing. Other missing columns
            are null.
        seed_scores: Columns seed, step, example_id, el2n, grand, and where known predicted (the class's
            number) and label_probability.
        metrics: Columns arm, seed, epoch, accuracy, loss, n_train, per_class_recall (dict or JSON text).
        top_class_counts: As `runs.steps.step_tops_table`; None for a run without score steps.

    Raises:
        NotFoundError: If the data set version is not in the store, or lacks an example that was scored.
    """
    scored, of_seeds = with_ranks(scores_table(scores)), seed_scores_table(seed_scores)
    with store.loading, store.transaction() as cursor:
        scored = align_scores(cursor, run.run_id, run.dataset.dataset_id, scored)
        positions = find_seed_positions(of_seeds["example_id"], scored)
        tables = {
            "scores": scored,
            "seed_scores": of_seeds.drop_columns("example_id").append_column("position", positions),
            "metrics": metrics_table(metrics),
            "top_class_counts": top_class_counts_table(
                pd.DataFrame() if top_class_counts is None else top_class_counts
            ),
            "score_correlations": correlations_table(scored),
        }
        for name, table in tables.items():
            cursor.execute(f"DELETE FROM {name} WHERE run_id = ?", [run.run_id])
            store.insert(cursor, name, table, run_id=run.run_id)
        cursor.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [*_as_row(run), LAYOUT])
    store.run_cache.forget(run.run_id)


def list_outdated_runs(store: Store) -> list[str]:
    """Return the ids of the runs that an older layout loaded: `ingest_run` them again, or `rerank_run`."""
    rows = store.rows("SELECT run_id FROM runs WHERE coalesce(layout, 0) < ? ORDER BY run_id", [LAYOUT])
    return [run_id for (run_id,) in rows]


def rerank_run(store: Store, run_id: str) -> None:
    """Bring a run that an older layout loaded as far as the store can by itself: its ranks.

    Raises:
        NotFoundError: If it is not loaded.
    """
    read_run(store, run_id)
    with store.loading, store.transaction() as cursor:
        old = cursor.sql("SELECT * FROM scores WHERE run_id = ? ORDER BY position", params=[run_id])
        table = with_ranks(old.to_arrow_table().drop_columns(["run_id", *RANKS.values()]))
        for name, rows in (("scores", table), ("score_correlations", correlations_table(table))):
            cursor.execute(f"DELETE FROM {name} WHERE run_id = ?", [run_id])
            store.insert(cursor, name, rows, run_id=run_id)
        cursor.execute("UPDATE runs SET layout = ? WHERE run_id = ?", [LAYOUT, run_id])
    store.run_cache.forget(run_id)


def has_run(store: Store, run_id: str) -> bool:
    """Return whether a run is loaded."""
    return bool(store.rows("SELECT 1 FROM runs WHERE run_id = ?", [run_id]))


def read_run(store: Store, run_id: str) -> RunRecord:
    """Return a run.

    Raises:
        NotFoundError: If it is not loaded.
    """

    def ask() -> RunRecord:
        for record in _records(store, "WHERE run_id = ?", [run_id]):
            return record
        raise NotFoundError(
            f"There is no finished run {run_id!r} in {store.workspace.root}. "
            "List the runs with: python -m diet_core runs"
        )

    return store.run_cache.known(run_id, "the run", ask)


def list_runs(store: Store, dataset_id: str | None = None) -> list[RunRecord]:
    """Return all runs, or those of a data set version; the newest first."""
    clause = "WHERE dataset_id = coalesce(?, dataset_id) ORDER BY created_at DESC, run_id"
    return _records(store, clause, [dataset_id])


def read_scores(store: Store, run_id: str) -> pd.DataFrame:
    """Return the scores of a run, columns as `tables.SCORE_COLUMNS`, in the order of the examples.

    With folds, `tables.OOF_COLUMNS` stand behind them.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    record = read_run(store, run_id)
    names = [*SCORE_COLUMNS, *(OOF_COLUMNS if record.has_folds else ())]
    columns = ", ".join(f"e.{name}" if name in _OF_EXAMPLES else f"s.{name}" for name in names)
    return store.frame(
        f"SELECT {columns} FROM scores s JOIN examples e ON e.example_id = s.example_id "
        "WHERE s.run_id = ? AND e.dataset_id = ? ORDER BY e.position",
        [run_id, record.dataset.dataset_id],
    )


def read_metrics(store: Store, run_id: str) -> pd.DataFrame:
    """Return the test results of a run by arm, seed and epoch; `per_class_recall` is JSON text."""
    columns = ", ".join(METRICS_COLUMNS)
    return store.frame(f"SELECT {columns} FROM metrics WHERE run_id = ? ORDER BY arm, seed, epoch", [run_id])


def read_accuracies(store: Store) -> pd.DataFrame:
    """Return the test accuracy after the last epoch, per run and arm.

    Returns:
        Columns run_id, arm, n_seeds, accuracy (the mean over seeds), accuracy_std (ddof 1, null for one).
    """
    return store.frame(
        """
        WITH last AS (
            SELECT run_id, arm, seed, accuracy FROM metrics
            QUALIFY row_number() OVER (PARTITION BY run_id, arm, seed ORDER BY epoch DESC) = 1
        )
        SELECT run_id, arm, count(*) AS n_seeds, avg(accuracy) AS accuracy,
               stddev_samp(accuracy) AS accuracy_std
        FROM last GROUP BY run_id, arm ORDER BY run_id, arm
        """
    )


def _records(store: Store, clause: str, parameters: list[Any]) -> list[RunRecord]:
    rows = store.rows(
        f"SELECT run_id, dataset_id, kind, config, state, created_at, finished_at FROM runs {clause}",
        parameters,
    )
    known = {info.dataset_id: info for info in list_versions(store)}
    return [
        RunRecord(
            run_id=row[0],
            dataset=known[row[1]],
            kind=row[2],
            config=config_from_json(json.loads(row[3])),
            state=row[4],
            created_at=row[5].replace(tzinfo=UTC),
            finished_at=row[6] and row[6].replace(tzinfo=UTC),
        )
        for row in rows
    ]


def _as_row(record: RunRecord) -> list[Any]:
    return [
        record.run_id,
        record.dataset.dataset_id,
        record.kind,
        json.dumps(config_to_json(record.config)),
        record.state,
        _naive(record.created_at),
        record.finished_at and _naive(record.finished_at),
    ]


def _naive(time: datetime) -> datetime:
    """Return a time as the database holds it: UTC without a zone. A time without a zone is UTC already."""
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
