"""Planning a retraining: the selection beside its baselines, on equal terms."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.config import Rule, TrainingConfig, Workspace, to_json
from diet_core.errors import SettingError
from diet_core.jobs.facts import read_facts, read_snapshot
from diet_core.jobs.folder import RunFolder
from diet_core.jobs.plan import Unit, dataset_from_json, lay_out
from diet_core.jobs.scores import scores_table
from diet_core.selection.rules import is_kept, random_rows

FIRST_SEED = 10_000  # disjoint from the scoring seeds, so that no model selects for itself
HELDOUT_SHARE = 0.1
BASELINES = ("full", "random")
BUDGETS = ("epochs", "steps")
CHOICES = ("last", "heldout")


@dataclass(frozen=True)
class Retraining:
    """What is trained and how it is compared.

    Attributes:
        rule: The selection.
        repeats: Trainings per arm; repeat i has seed 10000 + i.
        baselines: Of full and random.
        epochs: Per training; None = as the scoring run.
        budget: `epochs` gives every arm the same passes over its own examples, `steps` the same number
            of optimizer steps as the full data set takes.
        choose: Which epoch's accuracy counts: the last, or the best on held-out training examples.
    """

    rule: Rule
    repeats: int = 3
    baselines: tuple[str, ...] = BASELINES
    epochs: int | None = None
    budget: str = "epochs"
    choose: str = "last"

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.repeats < 1:
            raise SettingError(f"repeats is {self.repeats}. Give at least 1; 3 show the spread.")
        if unknown := [name for name in self.baselines if name not in BASELINES]:
            raise SettingError(f"{unknown[0]!r} is not a baseline. Choose from: {', '.join(BASELINES)}.")
        if self.budget not in BUDGETS:
            raise SettingError(f"budget is {self.budget!r}. Choose one of: {', '.join(BUDGETS)}.")
        if self.choose not in CHOICES:
            raise SettingError(f"choose is {self.choose!r}. Choose one of: {', '.join(CHOICES)}.")


def plan_retraining(
    workspace: Workspace, scored: RunFolder, plan: Retraining, decisions: pd.DataFrame | None = None
) -> RunFolder:
    """Lay out a run that trains on the selection and on each baseline, repeat by repeat.

    Snapshot, model, settings and test split are the scoring run's.

    Args:
        workspace: Where.
        scored: The scoring run.
        plan: What to train.
        decisions: The effective decisions (example_id, action, label), applied to the selection only;
            None = the rule alone.

    Raises:
        SettingError: If the rule leaves nothing.
        RunStateError: If the run has no scores.
    """
    from diet_core.training.loop import steps_of  # brings torch

    config = scored.config()
    scores = scores_table(read_facts(scored))
    is_heldout = (
        _heldout(scores["example_id"].tolist()) if plan.choose == "heldout" else np.zeros(len(scores), bool)
    )
    training = TrainingConfig(**config["training"])
    if plan.epochs is not None:
        training = dataclasses.replace(training, epochs=plan.epochs)
    full = scores.loc[~is_heldout, ["example_id", "label"]]
    return lay_out(
        workspace,
        dataset_from_json(config["dataset"]),
        read_snapshot(scored),
        list(_units(scores, is_heldout, plan, decisions)),
        training,
        kind="retrain",
        more={
            "scored_run": scored.run_id,
            "retraining": to_json(plan) | {"decisions": 0 if decisions is None else len(decisions)},
            "choose": plan.choose,
            "total_steps": steps_of(len(full), training) if plan.budget == "steps" else None,
        },
        heldout=scores.loc[is_heldout, ["example_id", "label"]] if plan.choose == "heldout" else None,
    )


def _heldout(example_ids: Sequence[str]) -> NDArray[np.bool_]:
    """Return which training examples no arm trains on: about a tenth, by a hash of the id."""
    digests = (hashlib.blake2b(f"heldout {i}".encode(), digest_size=8).digest() for i in example_ids)
    return np.array([int.from_bytes(digest, "big") < HELDOUT_SHARE * 2**64 for digest in digests])


def decided(
    scores: pd.DataFrame, kept: NDArray[np.bool_], decisions: pd.DataFrame | None
) -> tuple[NDArray[np.bool_], pd.Series]:
    """Return which rows are in and with which labels, decisions before rule.

    keep → in, drop → out, relabel → in with the new label, unsure → as the rule says.

    Args:
        scores: One row per training example: example_id, label.
        kept: What the rule keeps, shape (n_examples,).
        decisions: Effective decisions (example_id, action, label), or None.
    """
    labels = scores["label"].copy()
    if decisions is None or decisions.empty:
        return kept, labels
    of_example = decisions.set_index("example_id").reindex(scores["example_id"])
    action = of_example["action"].to_numpy()
    is_relabelled = action == "relabel"
    labels[is_relabelled] = of_example["label"].to_numpy()[is_relabelled]
    return (kept | (action == "keep") | is_relabelled) & (action != "drop"), labels


def _units(
    scores: pd.DataFrame, is_heldout: NDArray[np.bool_], plan: Retraining, decisions: pd.DataFrame | None
) -> Iterator[Unit]:
    """Yield repeat by repeat, so that what is finished early can be compared early."""
    selected, labels = decided(scores, is_kept(scores, plan.rule), decisions)
    selected = selected & ~is_heldout
    pool = scores[~is_heldout]
    for repeat in range(plan.repeats):
        seed = FIRST_SEED + repeat
        arms = {"selected": scores.assign(label=labels)[selected]}
        if "full" in plan.baselines:
            arms["full"] = pool
        if "random" in plan.baselines:
            size = selected[~is_heldout]
            drawn = random_rows(pool["label"].reset_index(drop=True), size, seed, plan.rule.per_class)
            arms["random"] = pool[drawn]
        for arm, train in arms.items():
            yield Unit(name=f"{arm}-{seed}", arm=arm, seed=seed, train=train[["example_id", "label"]])
