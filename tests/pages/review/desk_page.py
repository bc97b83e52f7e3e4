"""The desk of the Review page without a browser: what it is told, and messages as the browser sends them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pandas as pd
from streamlit.testing.v1 import AppTest

from diet_core.dataset import Dataset, Roles
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import RunRecord, ingest_run
from diet_core.store.store import Store

KEY = "review desk"


def has_desk(test: AppTest) -> bool:
    """Return whether the page draws the desk."""
    return len(test.get("bidi_component")) > 0


def told(test: AppTest) -> dict[str, Any]:
    """Return what the page tells the desk in the browser."""
    (desk,) = test.get("bidi_component")
    found: dict[str, Any] = json.loads(desk.proto.json)
    return found


def send(test: AppTest, *events: tuple[str, str, str | None], **message: Any) -> AppTest:
    """Let the browser deliver events, each an example, an action and a label, as one message."""
    desk = told(test)
    place = {name: desk[name] for name in ("dataset_id", "run_id", "queue_id", "reviewer")}
    session = {"session": "s", "revision": desk["revision"]}
    delivered = [
        {
            "client_event_id": f"{desk['seq']}-{number}",
            "example_id": example_id,
            "action": action,
            "label": label,
            "note": "",
            "reverts": None,
            **place,
        }
        for number, (example_id, action, label) in enumerate(events)
    ]
    sent = {"queue_id": desk["queue_id"], "seq": desk["seq"] + 1, "events": delivered}
    test.session_state[KEY] = {"outbox": session | sent | message}
    return test.run()


def many_classes(
    store: Store, reviews: Dataset, scores: pd.DataFrame, scored: RunRecord, classes: tuple[str, ...]
) -> RunRecord:
    """Return a run of another data set, whose labels are the first of its classes."""
    info = dataclasses.replace(
        reviews.info, name="many", classes=classes, label_values={}, roles=Roles("text", "label")
    )
    examples = reviews.examples.assign(label=classes[0])
    info = add_dataset(store, dataclasses.replace(reviews, info=info, examples=examples))
    run = dataclasses.replace(scored, run_id="many-20261121-142530-1a2b", dataset=info)
    labels = {"label": classes[0], "predicted_label": classes[1], "suggested_label": classes[1]}
    ingest_run(store, run, scores.assign(**labels), pd.DataFrame(), pd.DataFrame())
    return run
