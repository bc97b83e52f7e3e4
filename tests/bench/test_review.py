"""`bench review`: what a known truth says of the suspects, and that the docs say the same."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.review import bench_review, review_curve
from diet_core.runs.facts import read_facts
from diet_core.scoring.labels import mean_probs

DOCS = Path(__file__).resolve().parents[2] / "docs"


def scores_of(n: int, end: str = "") -> pd.DataFrame:
    """The first example is the most suspicious; the prediction of every fourth is its label."""
    agrees = np.arange(n) % 4 == 3
    return pd.DataFrame(
        {
            "example_id": [f"e{i}" for i in range(n)],
            "text": "text",
            "label": "a",
            "predicted_label": "b",
            "suggested_label": "b",
            "suggested_probability": 0.5,
            "el2n": 1.0,
            "label_error": np.linspace(0, 1, n),
        }
        | {
            f"predicted_label{end}": np.where(agrees, "a", "b"),
            f"suggested_label{end}": "b",
            f"suggested_probability{end}": 0.5,
            f"label_error{end}": np.linspace(1, 0, n),
        }
    )


def test_the_curve_by_hand():
    """Blocks of three: 2 of 3 wrong, 0 of 3, then the last one alone."""
    found = review_curve(np.array([1, 0, 1, 0, 0, 0, 1], bool), 3)
    assert [(block["from_rank"], block["to_rank"], block["contradicted"]) for block in found] == [
        (1, 3, 2),
        (4, 6, 0),
        (7, 7, 1),
    ]
    assert [block["share"] for block in found] == [pytest.approx(2 / 3), 0, 1]
    assert [block["running_share"] for block in found] == [pytest.approx(2 / 3), pytest.approx(1 / 3), 3 / 7]


def test_nobody_has_no_curve():
    assert review_curve(np.zeros(0, bool)) == []


@pytest.mark.parametrize("end", ["", "_oof"])
def test_suspects_are_those_whose_prediction_is_another_class(end):
    """Of ranks 1, 2, 3 and 5 (4 is predicted as labelled) the truth is b, another class, the label, b."""
    scores = scores_of(40, end)
    truth = np.array(["b", "c", "a", "c", "b"] + ["a"] * 35, object)
    found = bench_review(scores, truth, rows=4)
    blocks = found.pop("blocks")
    assert found == {
        "by": f"label_error{end}",
        "rows": 4,
        "contradicted": 3,
        "share": 0.75,
        "suggestion_right": pytest.approx(2 / 3),
        "base_rate": 0.1,
    }
    assert [(block["from_rank"], block["to_rank"]) for block in blocks] == [(1, 4)]


def test_the_order_of_the_rows_makes_no_difference():
    scores, rng = scores_of(200), np.random.default_rng(0)
    truth = rng.choice(np.array(["a", "b"], object), 200)
    order = rng.permutation(200)
    mixed = scores.iloc[order].reset_index(drop=True)
    assert bench_review(mixed, truth[order], 90) == bench_review(scores, truth, 90)


def test_fewer_suspects_than_asked_for_are_all_followed():
    found = bench_review(scores_of(40), np.array(["a"] * 40, object), rows=1000)
    assert (found["rows"], found["contradicted"], found["suggestion_right"]) == (30, 0, None)
    assert [block["to_rank"] for block in found["blocks"]] == [20, 30]


def test_without_suspects_there_is_nothing_to_follow():
    scores = scores_of(8).assign(predicted_label="a")
    found = bench_review(scores, np.array(["a", "b"] * 4, object), rows=20)
    assert (found["rows"], found["share"], found["blocks"], found["base_rate"]) == (0, None, [], 0.5)


@pytest.fixture
def truth(tmp_path, imported, copied):
    """A file of right labels of the scored sentences: for every other one what the models predict."""
    facts = read_facts(copied)
    predicted = np.array(facts.classes)[mean_probs(facts.logits[:, -1]).argmax(axis=1)]
    right = np.where(np.arange(len(predicted)) % 2, predicted, facts.examples["label"])
    file = tmp_path / "truth.csv"
    pd.DataFrame({"id": facts.examples["example_id"], "right": right}).to_csv(file, index=False)
    return file


def test_bench_review_follows_a_file(said, run_verb, truth, copied):
    facts = read_facts(copied)
    right = pd.read_csv(truth).set_index("id")["right"]
    wrong = right[right != facts.examples.set_index("example_id")["label"]]
    found = said("bench", "review", "--truth", truth, "--rows", 1000)
    assert (found["bench"], found["dataset"], found["run_id"]) == ("review", "sentences", copied.run_id)
    assert found["contradicted"] == len(wrong) > 0
    assert found["base_rate"] == pytest.approx(len(wrong) / len(right))
    assert found["blocks"][-1]["running_share"] == found["share"] == found["contradicted"] / found["rows"]
    status, out, _ = run_verb("bench", "review", "--truth", truth, "--dataset", "sentences")
    assert status == 0
    assert f"The truth contradicts {len(wrong)} of the first {found['rows']} suspects" in out
    assert out.startswith("suspects  contradicted")


def test_a_column_of_the_file_is_a_truth_too(said, truth):
    found = said("bench", "review", "--truth", "label")
    assert (found["contradicted"], found["base_rate"], found["suggestion_right"]) == (0, 0, None)


def test_bench_review_refuses_what_it_cannot_follow(refused, truth, tmp_path):
    assert "--truth COLUMN_OR_FILE" in refused("bench", "review")
    assert "neither a column" in refused("bench", "review", "--truth", "nowhere.csv")
    assert "--rows is 0" in refused("bench", "review", "--truth", truth, "--rows", 0)
    assert "belongs to bench noise" in refused("bench", "review", "--truth", truth, "--noise", "next-10")
    assert "belongs to bench noise and review" in refused("bench", "scoring", "--truth", truth)
    (tmp_path / "other.csv").write_text("id,right\nsomething,pos\n", encoding="utf-8")
    assert "no right label" in refused("bench", "review", "--truth", tmp_path / "other.csv")


def test_bench_review_needs_a_finished_run(refused, imported):
    assert "has no finished scoring run" in refused("bench", "review", "--truth", "label")


def test_the_docs_have_the_figures_of_the_drawn_curve():
    found = json.loads((DOCS / "review-curve.json").read_text(encoding="utf-8"))
    page = (DOCS / "label-errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+)–(\d+) \| (\d+) \| (\d+) % \| ([\d.]+) % \|$", page, re.MULTILINE)
    assert [tuple(map(float, row)) for row in rows] == [
        (
            block["from_rank"],
            block["to_rank"],
            block["contradicted"],
            100 * block["share"],
            pytest.approx(100 * block["running_share"], abs=0.051),
        )
        for block in found["blocks"]
    ]
    assert f"contradicts {found['contradicted']} ({100 * found['share']:.1f} %)" in page


def test_the_picture_can_be_drawn_from_the_figures(tmp_path):
    found = json.loads((DOCS / "review-curve.json").read_text(encoding="utf-8"))
    curve = runpy.run_path(str(DOCS / "review_curve.py"))["curve"]
    curve(found).save(tmp_path / "curve.svg")
    # Widths of letters differ between machines, so the bytes do.
    drawn, kept = (file.read_text() for file in (tmp_path / "curve.svg", DOCS / "review-curve.svg"))
    assert re.findall(r"aria-label=\"([^\"]+)", drawn) == re.findall(r"aria-label=\"([^\"]+)", kept) != []
