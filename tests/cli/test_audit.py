"""The verb `audit`."""

from __future__ import annotations

import pytest

from diet_core.scoring.statistics.audit import share_of_errors
from diet_core.store.decisions.audit import find_audit
from diet_core.store.loading.datasets import read_examples
from diet_core.store.store import open_store


@pytest.fixture
def audited(copied, said):
    """The sentences' run with an audit of 20."""
    return said("audit", "latest", "--size", 20)


def test_audit_draws_a_sample_and_shows_what_to_decide(audited, copied, workspace):
    assert (audited["run_id"], audited["dataset"]) == (copied.run_id, "sentences")
    assert (audited["size"], audited["seed"], audited["n_decided"], audited["errors"]) == (20, 0, 0, 0)
    assert audited["share"] == {"estimate": None, "low": 0.0, "high": 1.0}
    assert audited["left"]["0"] == {"estimate": None, "low": 0, "high": audited["n_examples"]}
    assert audited["model_guess"] > 0
    with open_store(workspace) as store:
        sample = find_audit(store, "sentences-v1")
        texts = read_examples(store, "sentences-v1").set_index("example_id")["text"]
    assert [example["example_id"] for example in audited["examples"]] == list(sample.example_ids)
    first = audited["examples"][0]
    assert set(first) == {"example_id", "text", "label", "decision", "new_label"}  # and no suggestion
    assert first["text"] == texts[first["example_id"]]
    assert first["decision"] is None


def test_audit_counts_what_was_decided_and_puts_it_behind(audited, said):
    ids = [example["example_id"] for example in audited["examples"]]
    label = next(c for c in ("neg", "pos") if c != audited["examples"][2]["label"])
    said("decide", "sentences", ids[0], "keep")
    said("decide", "sentences", ids[1], "unsure")
    said("decide", "sentences", ids[2], "relabel", "--label", label)
    again = said("audit")
    assert (again["n_decided"], again["n_audited"], again["n_unclear"], again["errors"]) == (3, 3, 1, 1)
    expected = share_of_errors(1, 2, again["n_examples"])
    assert again["share"] == {"estimate": 0.5, "low": expected.low, "high": expected.high}
    assert [example["example_id"] for example in again["examples"]] == ids[3:] + ids[:3]
    assert [e["decision"] for e in again["examples"][-3:]] == ["keep", "unsure", "relabel"]
    assert [e["new_label"] for e in again["examples"][-3:]] == [None, None, label]
    left = again["left"]["0"]
    assert left["low"] <= left["estimate"] <= left["high"]


def test_audit_grows_and_never_shrinks(audited, said, refused):
    assert said("audit", "latest", "--size", 30)["size"] == 30
    assert said("audit", "latest")["size"] == 30
    assert "has 30 examples already" in refused("audit", "latest", "--size", 10)
    assert "drawn with seed 0" in refused("audit", "latest", "--seed", 5)


def test_audit_of_a_seed_says_so(copied, said):
    assert said("audit", "latest", "--size", 5, "--seed", 7)["seed"] == 7


def test_audit_refuses_what_it_cannot_draw(copied, refused, workspace):
    assert "A sample of 0 examples" in refused("audit", "latest", "--size", 0)
    assert "There is no run" in refused("audit", "nothing-20261121-142530-1a2b")


def test_audit_without_a_run_says_how_to_make_one(refused, workspace):
    assert "Start one with: score" in refused("audit")


def test_audit_tells_people_in_words(audited, run_verb):
    ids = [example["example_id"] for example in audited["examples"]]
    status, out, err = run_verb("audit")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "Audit of sentences: 0 of 20 audited, nothing is known yet"
    assert lines[1].startswith("The model guesses ")
    assert [line.split()[0] for line in lines[5:15]] == ids[:10]
    assert lines[-1] == "Decide on them in this order: decide sentences EXAMPLE keep|drop|relabel|unsure"
    run_verb("decide", "sentences", ids[0], "drop")
    out = run_verb("audit")[1]
    assert out.startswith("Audit of sentences: 1 of 20 audited, 100 % errors (")
    assert "errors are left\n" in out
    assert ids[0] not in out


def test_audit_of_a_conflict_counts_it_as_unclear(audited, said):
    first = audited["examples"][0]["example_id"]
    said("decide", "sentences", first, "keep")
    said("decide", "sentences", first, "drop", "--reviewer", "ann")
    again = said("audit")
    assert (again["n_audited"], again["n_unclear"]) == (1, 1)
    assert again["examples"][-1]["decision"] == "conflict"
