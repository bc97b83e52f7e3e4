"""Loading finished runs into the store. The worker never imports this."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from diet_core.errors import RunStateError
from diet_core.jobs.facts import read_facts, read_snapshot
from diet_core.jobs.folder import RunFolder, all_runs
from diet_core.jobs.plan import dataset_from_json
from diet_core.jobs.scores import scores_table, seed_scores_table
from diet_core.jobs.summary import metrics_table, run_line
from diet_core.store import RunRecord, Store
from diet_core.tables import SCORE_COLUMNS


def reconcile(store: Store) -> list[str]:
    """Load every finished run of the workspace that the store does not hold; return their ids.

    Whoever opens the store calls this: runs end while nobody holds it. A damaged folder is left alone;
    whoever asks for that run is told.
    """
    known = {record.run_id for record in store.runs()}
    new = [folder for folder in all_runs(store.workspace) if folder.run_id not in known]
    finished = [folder for folder in reversed(new) if run_line(folder)["state"] == "done"]
    return [folder.run_id for folder in finished if _is_ingested(store, folder)]


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
    info = store.adopt_dataset(dataset_from_json(config["dataset"]), read_snapshot(folder))
    record = RunRecord(
        run_id=folder.run_id,
        dataset=info,
        kind=config["kind"],
        config=config,
        state=status["state"],
        created_at=datetime.fromisoformat(config["created_at"]),
        finished_at=datetime.fromisoformat(status["heartbeat"]),
    )
    if config["kind"] == "score":
        facts = read_facts(folder)
        scores, seed_scores = scores_table(facts), seed_scores_table(facts)
    else:
        scores = pd.DataFrame(columns=list(SCORE_COLUMNS))
        seed_scores = pd.DataFrame(columns=["seed", "step", "example_id", "el2n", "grand"])
    store.ingest_run(record, scores, seed_scores, metrics_table(folder))
