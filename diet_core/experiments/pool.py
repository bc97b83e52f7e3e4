"""The training examples of a scoring run, and what each arm of a plan takes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.errors import SettingError
from diet_core.experiments.arms import Arm
from diet_core.runs.facts import Facts, read_facts
from diet_core.runs.folder import RunFolder
from diet_core.runs.scores import scores_table
from diet_core.selection.decided import decided_examples
from diet_core.selection.rules import is_kept, random_rows

HELDOUT_SHARE: Final = 0.1
_COLUMNS: Final = ["example_id", "label"]


@dataclass(frozen=True)
class Pool:
    """The examples that arms choose from.

    Attributes:
        facts: Of the scoring run.
        scores: Its scores at the last step, one row per training example.
        is_heldout: Which rows no arm trains on, shape (n_examples,).
        decisions: Effective decisions (example_id, action, label), or None.
        ids: The examples of each arm of the kind ids, by its name.
        at_step: Scores at other steps, filled as they are asked for.
    """

    facts: Facts
    scores: pd.DataFrame
    is_heldout: NDArray[np.bool_]
    decisions: pd.DataFrame | None
    ids: Mapping[str, Sequence[str]]
    at_step: dict[int, pd.DataFrame] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many examples an arm can train on at most."""
        return int((~self.is_heldout).sum())

    def heldout(self) -> pd.DataFrame:
        """Return the held-out examples: example_id and label; of few examples it may be none."""
        return self.scores.loc[self.is_heldout, _COLUMNS]

    def selection(self, arm: Arm) -> pd.DataFrame:
        """Return what an arm selects before the training: example_id and label, in the order of the run.

        Raises:
            SettingError: If nothing is left, or the arm's ids are missing or no training examples.
            NotFoundError: If the arm's score step was not recorded.
        """
        kept, labels = self._chosen(arm)
        kept = kept & ~self.is_heldout
        if not kept.any():
            raise SettingError(f"Arm {arm.name} has no examples left. Keep more, or drop less.")
        return self.scores.assign(label=labels).loc[kept, _COLUMNS]

    def _chosen(self, arm: Arm) -> tuple[NDArray[np.bool_], pd.Series]:
        """Return which rows an arm selects, and with which labels."""
        if arm.rule is not None:
            return decided_examples(self.scores, is_kept(self._scores_at(arm.step), arm.rule), self.decisions)
        of_ids = arm.kind == "ids"
        return self._listed(arm.name) if of_ids else np.ones(len(self.scores), bool), self.scores["label"]

    def _scores_at(self, step: int | None) -> pd.DataFrame:
        if step is None:
            return self.scores
        if step not in self.at_step:
            self.at_step[step] = scores_table(self.facts, step)
        return self.at_step[step]

    def _listed(self, name: str) -> NDArray[np.bool_]:
        """Return which rows the list of an arm names."""
        wanted = pd.Index(self.ids.get(name, ()))
        if wanted.empty:
            raise SettingError(f"Arm {name} has no ids. Give at least one example id.")
        known = self.scores["example_id"]
        if len(unknown := wanted[~wanted.isin(known)]):
            raise SettingError(
                f"Arm {name} names {len(unknown):,} ids that are no training examples of the run, the first "
                f"is {unknown[0]!r}. Give the example ids of its training split."
            )
        is_listed: NDArray[np.bool_] = known.isin(wanted).to_numpy()
        return is_listed

    def trained_on(self, arm: Arm, selection: pd.DataFrame) -> pd.DataFrame:
        """Return what an arm trains on: its selection, or the whole pool if it selects while it trains."""
        if not arm.is_dynamic:
            return selection
        is_in, labels = decided_examples(self.scores, np.ones(len(self.scores), bool), self.decisions)
        return self.scores.assign(label=labels).loc[is_in & ~self.is_heldout, _COLUMNS]

    def drawn(self, selection: pd.DataFrame, like: Arm, seed: int) -> pd.DataFrame:
        """Return as many examples at random as a selection has, within each class where its rule does so."""
        pool = self.scores.loc[~self.is_heldout, _COLUMNS]
        size = pool["example_id"].isin(selection["example_id"]).to_numpy()
        per_class = like.rule is not None and like.rule.per_class
        return pool[random_rows(pool["label"].reset_index(drop=True), size, seed, per_class)]


def open_pool(
    scored: RunFolder,
    decisions: pd.DataFrame | None,
    ids: Mapping[str, Sequence[str]],
    *,
    has_heldout: bool,
) -> Pool:
    """Return the pool of a scoring run.

    Args:
        scored: The scoring run.
        decisions: Effective decisions (example_id, action, label), or None.
        ids: The examples of each arm of the kind ids, by its name.
        has_heldout: Hold out about a tenth of the examples, by a hash of the id, the same for every plan.

    Raises:
        RunStateError: If the run has no scores.
    """
    facts = read_facts(scored)
    scores = scores_table(facts)
    is_heldout = _heldout(scores["example_id"].tolist()) if has_heldout else np.zeros(len(scores), bool)
    return Pool(facts, scores, is_heldout, decisions, ids)


def _heldout(example_ids: Sequence[str]) -> NDArray[np.bool_]:
    """Return which examples are held out."""
    digests = (hashlib.blake2b(f"heldout {i}".encode(), digest_size=8).digest() for i in example_ids)
    return np.array([int.from_bytes(digest, "big") < HELDOUT_SHARE * 2**64 for digest in digests])
