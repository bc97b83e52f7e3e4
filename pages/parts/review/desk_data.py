"""The answer to the last message of the review desk in the browser.

The browser decides: it holds the next examples and goes on without waiting. Everything here can be
asked for again, and an event that is delivered twice is stored once.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from diet_core.errors import NotFoundError, SettingError
from diet_core.scoring.statistics.audit_words import share_in_words, stop_in_words
from diet_core.store.decisions.audit import Audit, AuditResult, read_audit_result
from diet_core.store.decisions.events import DeskEvent, Receipt, apply_events
from diet_core.store.decisions.history import list_last_events, read_history, read_states
from diet_core.store.decisions.pace import read_confirmed_curve, read_pace
from diet_core.store.decisions.queues import Queue, find_places_in_queue, list_next_undecided, read_progress
from diet_core.store.loading.runs import RunRecord
from pages.parts.review.audit import errors_left

if TYPE_CHECKING:
    from diet_core.review.card_data import CardData
    from diet_core.store.store import Store

AHEAD: Final = 200  # undecided examples whose order the browser knows
ROWS: Final = 45  # of them with all that is on the card
BESIDE: Final = 3  # before and after the example at hand, decided or not
LAST: Final = 20
COUNT_AGAIN: Final = 1.0  # seconds; counting a queue of 100,000 takes too long for every key
COUNTING_PAUSE: Final = 5  # times as long as counting took


@dataclass(frozen=True)
class Desk:
    """A reviewer before a frozen queue.

    Attributes:
        run: Whose scores are on the cards.
        queue: The examples; the audit's are in the order of drawing.
        reviewer: Whose decisions.
        revision: Changes when others than the desk itself decided: the browser then asks for all of it again.
    """

    store: Store
    run: RunRecord
    queue: Queue | Audit
    reviewer: str
    revision: int = 0

    @property
    def queue_id(self) -> str:
        """The queue's row in the store."""
        return self.queue.queue_id

    @property
    def example_ids(self) -> tuple[str, ...]:
        """In the order of review."""
        return self.queue.example_ids

    @property
    def is_blind(self) -> bool:
        """Whether the model's prediction is hidden until asked for: in the audit."""
        return isinstance(self.queue, Audit)

    @property
    def search(self) -> str:
        """What is marked in the texts."""
        return "" if isinstance(self.queue, Audit) else self.queue.definition.filter.search

    @property
    def dataset_id(self) -> str:
        """The data set version that decisions are about."""
        return self.run.dataset.dataset_id

    @property
    def place(self) -> str:
        """Names the workspace in the browser, which may know several at this address."""
        return hashlib.blake2b(str(self.store.workspace.root).encode(), digest_size=6).hexdigest()


@dataclass
class Counted:
    """The figures above the card as they were last counted.

    Attributes:
        again_at: When they are counted again, by the monotonic clock.
        seq: The browser's message that they know of.
        figures: As the browser gets them.
    """

    again_at: float = 0.0
    seq: int = 0
    figures: dict[str, Any] = field(default_factory=dict)


def store_events(store: Store, events: Iterable[dict[str, Any]]) -> Receipt:
    """Store what the browser delivered; each event says itself whose it is and where it was taken."""
    groups: dict[tuple[Any, ...], list[DeskEvent]] = defaultdict(list)
    for event in events:
        where = tuple(event[name] for name in ("dataset_id", "reviewer", "run_id", "queue_id"))
        names = ("client_event_id", "example_id", "action", "label", "note", "reverts")
        groups[where].append(DeskEvent(**{name: event[name] for name in names}))
    accepted: list[str] = []
    refused: dict[str, str] = {}
    for (dataset_id, reviewer, run_id, queue_id), group in groups.items():
        try:
            receipt = apply_events(
                store, dataset_id, group, reviewer=reviewer, run_id=run_id, queue_id=queue_id
            )
        except (NotFoundError, SettingError) as error:  # for ever: else the browser would never go on
            receipt = Receipt((), {event.client_event_id: str(error) for event in group})
        accepted += receipt.accepted
        refused |= receipt.refused
    return Receipt(tuple(accepted), refused)


def answer(
    desk: Desk,
    message: dict[str, Any],
    receipt: Receipt,
    facts: CardData,
    counted: Counted,
    named: str | None,
) -> dict[str, Any]:
    """Return the answer to the browser.

    Args:
        desk: The reviewer and the queue.
        message: The browser's last one; empty before the first.
        receipt: Which of its events were stored.
        facts: Of the run.
        counted: The figures; counted again where they are old.
        named: The example of the URL.
    """
    is_ours = (message.get("queue_id"), message.get("revision")) == (desk.queue_id, desk.revision)
    seq = message.get("seq", 0)
    at = message.get("at") if is_ours else named
    needs_rows = not is_ours or message.get("needs_rows", True)
    rows = _rows(desk, at, set(message.get("have", ())) if is_ours else set(), facts) if needs_rows else {}
    asked = message.get("history") if is_ours else None
    history = asked and {"example_id": asked, "events": read_history(desk.store, desk.dataset_id, asked)}
    return {
        "place": desk.place,
        "session": message.get("session"),
        "seq": seq,
        "accepted": list(receipt.accepted),
        "refused": receipt.refused,
        "queue_id": desk.queue_id,
        "revision": desk.revision,
        "dataset_id": desk.dataset_id,
        "run_id": desk.run.run_id,
        "reviewer": desk.reviewer,
        "classes": list(desk.run.dataset.classes),
        "n": len(desk.example_ids),
        "first": desk.example_ids[0] if desk.example_ids else None,
        "is_blind": desk.is_blind,
        "is_named": named is not None,
        "start": named,
        "search": desk.search,
        "why": _why(desk),
        "rows": [],
        "history": history,
        **_progress(desk, counted, seq, needs_rows),
        **rows,
    }


def _rows(desk: Desk, at: str | None, have: set[str], facts: CardData) -> dict[str, Any]:
    """Return the next examples from one on, and the cards that the browser does not have yet."""
    from diet_core.review.cards import card_facts

    store, ids = desk.store, desk.example_ids
    place = _place(desk, at)
    upcoming = list_next_undecided(
        store, desk.queue_id, desk.dataset_id, position=place or 0, reviewer=desk.reviewer, limit=AHEAD
    )
    start = at if at is not None else next(iter(upcoming.example_ids), None)
    middle = _place(desk, start)
    beside = () if middle is None else ids[max(0, middle - BESIDE) : middle + BESIDE + 1]
    shown = dict.fromkeys([*([start] if start else []), *beside, *upcoming.example_ids[: 2 * ROWS]])
    wanted = [i for i in shown if i not in have][: ROWS + 2 * BESIDE]
    places = find_places_in_queue(store, desk.queue_id, wanted)
    states = read_states(store, desk.dataset_id, wanted, desk.reviewer)
    cards = card_facts(store, desk.run.run_id, wanted, facts)
    return {
        "start": start,
        "upcoming": list(upcoming.example_ids),
        "remaining": upcoming.n_undecided,
        "rows": [
            {**card, "pos": places.get(card["example_id"]), "state": states.get(card["example_id"])}
            for card in cards
        ],
    }


def _by_audit(audit: AuditResult, curve: list[dict[str, int]]) -> tuple[str, str]:
    """Return how many errors are left, and whether going on finds more than a random order."""
    stop = stop_in_words([(block["n_decided"], block["n_confirmed"]) for block in curve], audit.share)
    return errors_left(audit).removesuffix("."), stop[:1].upper() + stop[1:]


def _place(desk: Desk, example_id: str | None) -> int | None:
    if example_id is None:
        return None
    return find_places_in_queue(desk.store, desk.queue_id, [example_id]).get(example_id)


def _why(desk: Desk) -> list[str]:
    if desk.is_blind:
        return ["Drawn at random, for the audit"]
    return ["By models that did not train on it"] if desk.run.has_folds else []


def _progress(desk: Desk, counted: Counted, seq: int, is_due: bool) -> dict[str, Any]:
    """Return the figures above the card, counted again once a second, and whether they lag behind.

    The last decisions come along: the browser knows its own ones.
    """
    started, last = time.monotonic(), {}
    if is_due or started > counted.again_at:
        last = {"last": list_last_events(desk.store, desk.dataset_id, desk.reviewer, LAST)}
        counted.seq, counted.figures = seq, _count(desk)
        ended = time.monotonic()
        counted.again_at = ended + max(COUNT_AGAIN, COUNTING_PAUSE * (ended - started))
    return {"progress": {**counted.figures, "seq": counted.seq}, "is_stale": counted.seq < seq} | last


def _count(desk: Desk) -> dict[str, Any]:
    store = desk.store
    audit = read_audit_result(store, desk.run.run_id)
    per_hour = read_pace(store, desk.dataset_id, desk.reviewer)["per_hour"]
    pace = "" if per_hour is None else f"{per_hour:,.0f} an hour"
    if isinstance(desk.queue, Audit):
        n = len(desk.example_ids)
        left = list_next_undecided(store, desk.queue_id, desk.dataset_id, limit=1).n_undecided
        words, curve, n_decided = [share_in_words(audit.share) if audit else ""], [], n - left
    else:
        done = read_progress(store, desk.queue)
        n, n_decided, curve = done.n_all, done.n_decided, read_confirmed_curve(store, desk.queue)
        conflicts = f"{done.n_conflicts:,} in conflict" if done.n_conflicts else ""
        words = [f"{done.n_changed:,} changed", conflicts, *(_by_audit(audit, curve) if audit else ())]
    return {"n_all": n, "n_decided": n_decided, "words": [w for w in (*words, pace) if w], "curve": curve}
