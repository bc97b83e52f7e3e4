"""The audit as a choice of queue: a random sample, which may not be drawn yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diet_core.store.decisions.audit import find_audit

if TYPE_CHECKING:
    from diet_core.store.decisions.audit import Audit
    from diet_core.store.store import Store


@dataclass(frozen=True)
class ByChance:
    """The audit of a data set version; empty until its sample is drawn."""

    store: Store
    dataset_id: str

    @property
    def sample(self) -> Audit | None:
        """The sample as it is now: it may have grown since the page was opened."""
        return find_audit(self.store, self.dataset_id)
