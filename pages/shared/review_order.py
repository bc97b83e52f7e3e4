"""The two orders of review: by a run's suspicion, and by chance for the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from diet_core.store import Audit, ExampleFilter, Store


class Order(Protocol):
    """Which examples are reviewed, and which comes next."""

    def next(self, after: str | None = None) -> str | None:
        """Return the next undecided example behind another one; None if all are decided."""

    def previous(self, before: str | None = None) -> str | None:
        """Return the example before another one, decided or not; None at the beginning."""

    def place(self, example_id: str) -> int | None:
        """Return the place of an example from 1; None if it is not in the queue."""

    def queue_id(self, example_id: str) -> str | None:
        """Return the queue that a decision on an example is taken in; None for a derived one."""

    @property
    def is_audit(self) -> bool:
        """Whether this is the audit, in which the model keeps its opinion to itself."""


@dataclass(frozen=True)
class ByRank:
    """The examples of a filter, the most suspicious first."""

    store: Store
    run_id: str
    chosen: ExampleFilter
    is_audit: bool = False

    def next(self, after: str | None = None) -> str | None:
        """Return the next undecided example."""
        return self.store.next_suspect(self.run_id, self.chosen, after=after)

    def previous(self, before: str | None = None) -> str | None:
        """Return the example before."""
        return self.store.previous_suspect(self.run_id, self.chosen, before=before)

    def place(self, example_id: str) -> int | None:
        """Return the place by suspicion."""
        return self.store.place_in_queue(self.run_id, example_id, self.chosen)

    def queue_id(self, example_id: str) -> str | None:
        """Return None: this queue is derived."""
        return None


@dataclass(frozen=True)
class ByChance:
    """The audit of a data set version; empty until its sample is drawn."""

    store: Store
    dataset_id: str
    is_audit: bool = True

    @property
    def sample(self) -> Audit | None:
        """The sample as it is now: it may have grown since the page was opened."""
        return self.store.audit(self.dataset_id)

    def next(self, after: str | None = None) -> str | None:
        """Return the next undecided example."""
        sample = self.sample
        return sample and self.store.next_audited(sample, after=after)

    def previous(self, before: str | None = None) -> str | None:
        """Return the example before."""
        from diet_core.store import previous_audited

        sample = self.sample
        return sample and previous_audited(sample, before=before)

    def place(self, example_id: str) -> int | None:
        """Return the place in the order of drawing."""
        ids = self.sample.example_ids if self.sample else ()
        return ids.index(example_id) + 1 if example_id in ids else None

    def queue_id(self, example_id: str) -> str | None:
        """Return the audit's queue for an example of its sample."""
        sample = self.sample
        return sample.queue_id if sample and example_id in sample.example_ids else None
