"""Loading finished runs into the store. The worker never imports this."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from diet_core.errors import RunStateError
from diet_core.runs.facts import read_facts, read_snapshot
from diet_core.runs.folder import RunFolder, all_runs
from diet_core.runs.scores import scores_table, seed_scores_table
from diet_core.runs.steps import step_tops_table
from diet_core.runs.summary import metrics_table, run_line
from diet_core.store.loading.datasets import adopt_dataset
from diet_core.store.loading.runs import RunRecord, ingest_run, list_outdated_runs, list_runs, rerank_run
from diet_core.store.store import Store
from diet_core.tables import SCORE_COLUMNS


def reconcile(store: Store) -> list[str]:
    """Load every finished run of the workspace that the store does not hold; return their ids.

    Whoever opens the store calls this: runs end while nobody holds it. Runs that an older version of the
    software loaded are loaded again. A damaged folder is left alone; whoever asks for that run is told.
    """
    outdated = list_outdated_runs(store)
    known = {record.run_id for record in list_runs(store)}.difference(outdated)
    new = [folder for folder in all_runs(store.workspace) if folder.run_id not in known]
    finished = [folder for folder in reversed(new) if run_line(folder)["state"] == "done"]
    loaded = [folder.run_id for folder in finished if _is_ingested(store, folder)]
    for run_id in set(outdated).difference(loaded):
        rerank_run(store, run_id)
    return loaded


def _is_ingested(store: Store, folder: RunFolder) -> bool:
    """Load a run unless its files are damaged; one bad folder must not shut the database to all verbs."""
    try:
        ingest(store, folder)
    except RunStateError:
        return False
    return True


def ingest(store: Store, folder: RunFolder) -> None:
    """Load one finished run in one transaction; again replaces it.

    Raises:
        RunStateError: If a file of the run cannot be read.
    """
    config, status = folder.config(), folder.status()
    snapshot = read_snapshot(folder)
    info = adopt_dataset(store, config.dataset, snapshot)
    record = RunRecord(
        run_id=folder.run_id,
        dataset=info,
        kind=config.kind,
        config=config,
        state=status.state,
        created_at=datetime.fromisoformat(config.created_at),
        finished_at=None if status.heartbeat is None else datetime.fromisoformat(status.heartbeat),
    )
    if config.kind == "score":
        facts = read_facts(folder, snapshot=snapshot)
        scores, seed_scores, step_tops = scores_table(facts), seed_scores_table(facts), step_tops_table(facts)
    else:
        scores = pd.DataFrame(columns=list(SCORE_COLUMNS))
        seed_scores = pd.DataFrame(columns=["seed", "step", "example_id", "el2n", "grand"])
        step_tops = None
    ingest_run(store, record, scores, seed_scores, metrics_table(folder), step_tops)
