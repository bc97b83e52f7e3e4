"""What a reviewer does: each act is saved at once and names the example to show next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.errors import DietError

if TYPE_CHECKING:
    from diet_core.store import RunRecord, Store
    from pages.shared.review_order import Order


def _told(act: Callable[..., None]) -> Callable[..., None]:
    """Show a mistake at the next drawing: a callback has no place of its own on the page."""

    @wraps(act)
    def act_or_tell(*args: Any) -> None:
        try:
            act(*args)
        except DietError as error:
            st.session_state["review message"] = str(error)

    return act_or_tell


@dataclass(frozen=True)
class Review:
    """A reviewer before a queue. The example at hand is named in the address alone."""

    store: Store
    run: RunRecord
    queue: Order
    reviewer: str

    @property
    def dataset_id(self) -> str:
        """The data set version that decisions are about."""
        return self.run.dataset.dataset_id

    def at_hand(self) -> str | None:
        """Return the example of the address, else the first undecided one; None if all are decided."""
        if self.queue.is_audit and self.store.audit(self.dataset_id) is None:
            return None
        named = st.query_params.get("example")
        if named is not None and self.store.has_scored(self.run.run_id, named):
            return named
        if named is not None:
            self._go_to(None)
            st.warning("The example of the address is not in this run. This is the first undecided one.")
        first = self.queue.next()
        self._go_to(first)
        return first

    @_told
    def decide(self, example_id: str, action: str, label: str | None) -> None:
        """Save a decision on the example that was shown."""
        if st.query_params.get("example") != example_id:
            return  # the second press of a key on a card that is gone
        self.store.decide(
            self.dataset_id,
            example_id,
            action,
            label=label,
            reviewer=self.reviewer,
            run_id=self.run.run_id,
            queue_id=self.queue.queue_id(example_id),
        )
        self._go_to(self.queue.next(after=example_id))

    @_told
    def pick(self, example_id: str) -> None:
        """Save the class that was chosen from the list."""
        if label := st.session_state.get(f"class of {example_id}"):
            self.decide(example_id, "relabel", label)

    @_told
    def skip(self, example_id: str) -> None:
        """Go on without a decision."""
        self._go_to(self.queue.next(after=example_id))

    @_told
    def go_back(self, example_id: str | None) -> None:
        """Go to the example before, decided or not."""
        before = self.queue.previous(before=example_id)
        if before is not None:
            self._go_to(before)

    @_told
    def open(self, example_id: str) -> None:
        """Show an example again."""
        self._go_to(example_id)

    @_told
    def undo(self) -> None:
        """Take back the reviewer's last decision and show its example."""
        last = self.store.last_decisions(self.dataset_id, self.reviewer, limit=1)
        self.store.undo(self.dataset_id, self.reviewer)
        example_id = str(last["example_id"].iloc[0])
        if self.store.has_scored(self.run.run_id, example_id):
            self._go_to(example_id)

    def is_blind(self, example_id: str) -> bool:
        """Return whether the model's opinion of an example is hidden: in the audit, until asked for."""
        return self.queue.is_audit and st.session_state.get("opinion on") != example_id

    def ask(self, example_id: str) -> None:
        """Show the model's opinion of an example."""
        st.session_state["opinion on"] = example_id

    @_told
    def draw(self, size: int) -> None:
        """Draw the sample of the audit, or make it larger."""
        self.store.start_audit(self.dataset_id, size)

    @staticmethod
    def _go_to(example_id: str | None) -> None:
        if example_id is None:
            st.query_params.pop("example", None)
        elif st.query_params.get("example") != example_id:
            st.query_params["example"] = example_id
