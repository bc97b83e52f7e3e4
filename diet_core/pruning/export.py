"""The cleaned data set: the source's own rows less what rule and decisions take out."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diet_core.config import Rule, to_json
from diet_core.data.export import write_export
from diet_core.data.formats.files import sha256_of, write_manifest
from diet_core.dataset import DatasetInfo
from diet_core.encoders import encoder_tag
from diet_core.errors import RunStateError
from diet_core.runs.facts import finished_seeds, read_facts
from diet_core.runs.folder import RunFolder, now
from diet_core.runs.scores import scores_table
from diet_core.selection.decided import decided_examples
from diet_core.selection.rules import is_kept
from diet_core.store.decisions.decisions import list_effective_decisions
from diet_core.store.loading.datasets import find_dataset, read_examples, read_source
from diet_core.store.store import Store
from diet_core.version import __version__

VERSIONS = ("torch", "transformers", "duckdb", "pandas", "pyarrow")


def export(
    store: Store,
    name: str,
    out: Path,
    *,
    run: RunFolder | None = None,
    rule: Rule | None = None,
    with_decisions: bool = True,
    with_split: bool = False,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write the cleaned data set and `OUT.manifest.json`; return what was written.

    Args:
        store: Holds the data set and the decisions.
        name: The data set.
        out: The file (csv, tsv, jsonl, json, parquet, also .gz) or the folder of a Hugging Face data set.
        run: The scoring run that the rule ranks by; None = no rule, decisions only.
        rule: What is kept.
        with_decisions: Apply the effective decisions (they beat the rule).
        with_split: Add the split as a column.
        overwrite: Replace a file that is there; an earlier export, unchanged since, always is.

    Raises:
        NotFoundError: If there is no such data set.
        RunStateError: If the run is not of this data set.
        DataError: If `out` cannot be written.
    """
    info = find_dataset(store, name)
    examples = read_examples(store, info.dataset_id)
    training = examples[examples["split"] == "train"].reset_index(drop=True)
    by_rule = _kept_by_rule(store, info, training, run, rule)
    decisions = list_effective_decisions(store, info.dataset_id) if with_decisions else None
    kept, labels = decided_examples(training, by_rule, decisions)
    relabelled = dict(
        training.assign(new=labels)
        .loc[kept & (labels != training["label"]), ["example_id", "new"]]
        .to_numpy()
    )
    source = read_source(store, info.dataset_id)
    report = write_export(
        info,
        source,
        examples,
        training.loc[kept, "example_id"].tolist(),
        relabelled,
        out,
        with_split=with_split,
        overwrite=overwrite or _is_ours(out),
    )
    changed = {"dropped": report.dropped, "relabelled": report.relabelled}
    manifest_file = _manifest_file(out)
    write_manifest(
        manifest_file,
        {
            **_origin(info, run, rule),
            "rows": {"in": source.num_rows, "out": report.rows, **changed, "test": report.test_rows},
            "dropped": _dropped(training, kept, decisions),
            "relabelled": _relabelled(training, relabelled, decisions),
            "output": {"path": out.name, "sha256": report.sha256},
        },
    )
    return {
        "rows": report.rows,
        **changed,
        "test_rows": report.test_rows,
        "manifest": str(manifest_file),
    }


def _origin(info: DatasetInfo, run: RunFolder | None, rule: Rule | None) -> dict[str, Any]:
    """Return what a manifest says of where an export came from."""
    return {
        "made_at": now(),
        "made_by": {"diet-core": __version__} | {package: version(package) for package in VERSIONS},
        "dataset": {"name": info.name, "version": info.version},
        "source": {"path": info.source, "sha256": info.sha256},
        "rule": None if rule is None else to_json(rule),
        "run": _run_facts(run),
    }


def _manifest_file(out: Path) -> Path:
    return out.with_name(out.name + ".manifest.json")


def _is_ours(out: Path) -> bool:
    """Return whether nothing is lost by replacing `out`: it is empty, or an export as its manifest has it."""
    if not out.exists():
        return False
    if out.is_file() and out.stat().st_size == 0:
        return True
    try:
        manifest = json.loads(_manifest_file(out).read_text(encoding="utf-8"))
        return bool(manifest["output"]["sha256"] == sha256_of(out))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _kept_by_rule(
    store: Store, info: DatasetInfo, training: pd.DataFrame, run: RunFolder | None, rule: Rule | None
) -> Any:
    """Return which training rows the rule keeps, in the order of `training`."""
    if run is None or rule is None:
        return np.ones(len(training), dtype=bool)
    scores = scores_table(read_facts(run))
    order = pd.Index(scores["example_id"]).get_indexer(pd.Index(training["example_id"]))
    # Ids alone would not do: a new version may have the same texts with other labels.
    content = ["example_id", "text", "label"]
    if len(scores) != len(training) or not scores.iloc[order][content].reset_index(drop=True).equals(
        training[content]
    ):
        raise other_version(f"Run {run.run_id}", info)
    return is_kept(scores, rule)[order]


def other_version(run: str, info: DatasetInfo) -> RunStateError:
    """Return the error that says that a run is not of the present version of a data set."""
    return RunStateError(
        f"{run} did not score the present version of {info.name}. "
        f"Score it again with: score {info.name}, or choose another run."
    )


def _run_facts(run: RunFolder | None) -> dict[str, Any] | None:
    if run is None:
        return None
    config = run.config()
    return {
        "run_id": run.run_id,
        "model": config.settings.model,
        "encoder": config.settings.encoder,
        "encoder_tag": encoder_tag(config.settings.encoder),
        "seeds": [result["seed"] for result in finished_seeds(run).values()],
        "folds": config.folds,
        "training": to_json(config.settings),
        "environment": to_json(config.environment),
    }


def _by_whom(decisions: pd.DataFrame | None) -> dict[str, dict[str, str]]:
    """Return who decided when, by example id."""
    if decisions is None:
        return {}
    names = {"by": "reviewer", "at": "decided_at", "action": "action"}
    return {
        str(row["example_id"]): {key: str(row[column]) for key, column in names.items()}
        for row in decisions.to_dict("records")
    }


def _dropped(training: pd.DataFrame, kept: Any, decisions: pd.DataFrame | None) -> list[dict[str, str]]:
    who = _by_whom(decisions)
    return [
        {"example_id": i, **(who[i] if who.get(i, {}).get("action") == "drop" else {"by": "rule"})}
        for i in training.loc[~kept, "example_id"]
    ]


def _relabelled(
    training: pd.DataFrame, new: dict[str, str], decisions: pd.DataFrame | None
) -> list[dict[str, str]]:
    who, old = _by_whom(decisions), dict(training[["example_id", "label"]].to_numpy())
    return [{"example_id": i, "old": old[i], "new": label, **who[i]} for i, label in new.items()]
