"""Which classes the hardest examples of a run are of, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from diet_core.errors import SettingError
from diet_core.store.loading.runs import read_run

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.store.store import Store

STEP_SCORES: Final = ("el2n", "grand")  # that are kept for every step


def read_label_shares(store: Store, run_id: str, by: str = "el2n", percent: int = 10) -> pd.DataFrame:
    """Return which share of the hardest examples each class holds, at each score step.

    Args:
        store: Where.
        run_id: The run.
        by: el2n or grand, the mean over seeds at that step.
        percent: Of the training examples, that count as the hardest: 1 to 100.

    Returns:
        A row per step and class, in the order of both: step, epoch (epochs done), is_reliable, label, count,
        share, and share_of_all, the class's share of all training examples. None for a run that an older
        version of the software loaded and whose folder is gone.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `by` or `percent` is none of these.

    Source:
        Fayyaz et al. 2022, Fig. 2.
    """
    read_run(store, run_id)
    if by not in STEP_SCORES:
        raise SettingError(f"{by!r} is not kept for every step. Choose one of: {', '.join(STEP_SCORES)}.")
    if not 1 <= percent <= 100:
        raise SettingError(f"The hardest {percent} % were asked for. Give a whole number from 1 to 100.")
    return store.frame(
        """
        WITH shares AS (
            SELECT step, epoch, is_reliable, label, percent, count,
                   count / greatest(sum(count) OVER (PARTITION BY step, percent), 1) AS share
            FROM step_tops WHERE run_id = ? AND score = ? AND percent IN (?, 100)
        )
        SELECT step, epoch, is_reliable, label, top.count, top.share, of_all.share AS share_of_all
        FROM (FROM shares WHERE percent = ?) top
        JOIN (SELECT step, label, share FROM shares WHERE percent = 100) of_all USING (step, label)
        ORDER BY step, label
        """,
        [run_id, by, percent, percent],
    )
