"""Near-duplicates across the cut: texts that are nearly the same, of which some stay and some go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from diet_core.pruning.outcome import Outcome
from diet_core.selection.near_duplicates import THRESHOLD, near_duplicates
from diet_core.store.queries.near_duplicates import NearDuplicates, read_training_texts, save_near_duplicates
from diet_core.store.queries.run_arrays import RunExamples

if TYPE_CHECKING:
    from diet_core.store.store import Store

# Texts that are searched without asking: less than two seconds.
SEARCHED_AT_ONCE: Final = 20_000
SECONDS_PER_TEXT: Final = 4e-5  # measured with texts of 30 words on a busy machine of two cores


def search(store: Store, dataset_id: str) -> NearDuplicates:
    """Look for the near-duplicates among the training texts of a version, keep and return them.

    Raises:
        NotFoundError: If there is no such data set version.
    """
    texts = read_training_texts(store, dataset_id)
    second = texts["text_pair"]
    groups = near_duplicates(texts["text"], None if second.null_count == len(second) else second)
    is_in_one = groups >= 0
    positions = texts["position"].to_numpy().astype(np.int32)
    found = NearDuplicates(positions[is_in_one], groups[is_in_one])
    save_near_duplicates(store, dataset_id, found, THRESHOLD)
    return found


def across_the_cut(found: NearDuplicates, examples: RunExamples, outcome: Outcome) -> pd.DataFrame:
    """Return the groups of which some examples stay and some go.

    Returns:
        A row per example of such a group: group, row (number of the example), position, label (as imported),
        is_kept, and differs (whether the group has several labels); by group, those of several labels first,
        and within each what stays first. A group's examples that the run has not scored are left out.
    """
    rows = examples.rows_of(found.positions)
    is_here = rows >= 0
    rows, groups = rows[is_here], found.groups[is_here]
    stays = outcome.is_kept[rows]
    n_kept = np.bincount(groups[stays], minlength=found.n_groups)
    is_split = (n_kept > 0) & (n_kept < np.bincount(groups, minlength=found.n_groups))
    at = np.flatnonzero(is_split[groups])
    at = at[np.lexsort((rows[at], ~stays[at], groups[at]))]
    table = pd.DataFrame(
        {
            "group": groups[at],
            "row": rows[at],
            "position": examples.positions[rows[at]],
            "label": [examples.classes[code] for code in examples.codes[rows[at]]],
            "is_kept": stays[at],
        }
    )
    differs = table.groupby("group")["label"].transform("nunique") > 1
    table = table.assign(differs=differs.astype(bool))
    return table.sort_values("differs", ascending=False, kind="stable", ignore_index=True)
