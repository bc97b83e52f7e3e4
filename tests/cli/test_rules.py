"""Rules on the command line: options, saved rules, select, and the same rule everywhere."""

from __future__ import annotations

import argparse
import json
import shlex

import pandas as pd
import pytest

from diet_core.cli.parser import parser
from diet_core.cli.verbs.plans import planned_retraining
from diet_core.cli.verbs.rules import rule_of
from diet_core.config import Workspace, to_json
from diet_core.experiments.plan import plan_of
from diet_core.pruning.saved_rules import save_rule, saved_rule
from diet_core.rule import KINDS, Rule, options_of, rule_from_json
from diet_core.selection.rules import is_kept

RULES = [
    Rule(),
    Rule("aum", keep=0.5, drop_hardest=0.0, per_class=True),
    Rule("aum", kind="window", low=-1.25, high=1 / 3),
    Rule("el2n", kind="window"),
    Rule(kind="random", keep=0.667, seed=12, per_class=True),
    Rule(kind="auto"),
    Rule(kind="auto", low=1 / 6, high=1),
]


def parsed(workspace: Workspace, *words: str) -> argparse.Namespace:
    args = parser().parse_args(words)
    args.workspace = workspace
    return args


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.in_words)
@pytest.mark.parametrize("verb", [("select", "latest"), ("retrain", "latest"), ("rule", "save", "x")])
def test_options_of_a_rule_mean_that_rule(workspace, verb, rule):
    words = shlex.split(" ".join(options_of(rule)))
    assert rule_of(parsed(workspace, *verb, *words), Rule()) == rule


def test_fractions_may_be_written_for_counts(workspace):
    args = parsed(workspace, "select", "latest", "--kind", "auto", "--low", "2/6", "--high", "5/6")
    assert rule_of(args, Rule()) == Rule(kind="auto", low=2 / 6, high=5 / 6)


@pytest.mark.parametrize("verb", [("retrain", "latest"), ("select", "latest"), ("rule", "save", "x")])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--kind top", "--kind"),
        ("--low 0.1", "A rule of kind shares has no use for --low. Leave it out."),
        ("--draw 1 --low 3", "no use for --low, --draw"),
        ("--kind random --drop-hardest 0.1", "A rule of kind random has no use for --drop-hardest."),
        ("--kind auto --by aum --keep 0.3", "no use for --by, --keep"),
        ("--kind window --per-class", "no use for --per-class"),
        ("--kind window --low 1/0", "'1/0' is neither a number nor a fraction"),
        ("--kind window --low nan", "'nan' is neither a number nor a fraction"),
        ("--kind window --low 2 --high 1", "low (2) lies above high (1)"),
        ("--kind random --draw -1", "seed is -1"),
        ("--rule paper --keep 0.5", "--rule paper says it all. Leave out --keep."),
        ("--rule paper --per-class --draw 3", "Leave out --per-class, --draw."),
        ("--rule nobodys", "There is no rule 'nobodys'"),
        ("--rule none.json", "There is no file none.json"),
    ],
)
def test_options_that_are_no_rule_are_refused(refused, workspace, verb, options, message):
    assert message in refused(*verb, *options.split())
    assert not workspace.rules.exists()


def test_rule_verbs_save_list_show_and_delete(said, run_verb, refused, workspace):
    assert said("rules") == {"rules": []}
    saved = said("rule", "save", "easy-out", "--by", "aum", "--keep", 0.5)
    assert saved["name"] == "easy-out"
    assert rule_from_json(saved["rule"], "") == Rule("aum", 0.5)
    assert said("rule", "show", "easy-out") == saved
    assert said("rules") == {"rules": [saved]}
    _, out, _ = run_verb("rules")
    assert "keep 0.5 and drop-hardest 0.04" in out
    assert "another rule 'easy-out'" in refused("rule", "save", "easy-out")
    assert said("rule", "save", "easy-out", "--overwrite")["rule"] == to_json(Rule())
    assert said("rule", "delete", "easy-out") == {"name": "easy-out"}
    assert "There is no rule 'easy-out'" in refused("rule", "show", "easy-out")
    assert not workspace.database.exists()


def test_rule_save_copies_a_file(said, workspace, tmp_path):
    (tmp_path / "r.json").write_text('{"kind": "auto", "low": 0.5}')
    said("rule", "save", "mine", "--rule", tmp_path / "r.json")
    assert saved_rule(workspace, "mine").rule == Rule(kind="auto", low=0.5)


def test_show_and_delete_take_a_name_only(refused, workspace):
    save_rule(workspace, "paper", Rule())
    assert "rule delete takes a name only. Leave out --keep." in refused(
        "rule", "delete", "paper", "--keep", 1
    )
    assert "Leave out --rule." in refused("rule", "show", "paper", "--rule", "x")
    assert saved_rule(workspace, "paper").rule == Rule()


def test_rules_tells_of_damaged_files(run_verb, workspace):
    workspace.rules.mkdir(parents=True)
    (workspace.rules / "bad.json").write_text("{")
    status, out, err = run_verb("--json", "rules")
    assert (status, json.loads(out)) == (0, {"rules": []})
    assert "bad.json cannot be read as JSON" in err


@pytest.mark.parametrize(
    "rule", [Rule(), Rule(per_class=True), Rule("aum", kind="window", low=0.0), Rule(kind="random", seed=2)]
)
def test_select_counts_and_writes_what_the_rule_keeps(copied, said, workspace, tmp_path, rule):
    scores = pd.read_parquet(copied.scores_file)
    kept = is_kept(scores, rule)
    save_rule(workspace, "mine", rule)
    out = tmp_path / "kept.csv"
    content = said("select", "latest", "--rule", "mine", "--out", out)
    n = len(scores)
    assert [content[key] for key in ("rows", "kept", "dropped")] == [n, kept.sum(), n - kept.sum()]
    after = scores["label"][kept].value_counts()
    assert content["classes"] == [
        {"label": label, "before": before, "after": int(after.get(label, 0))}
        for label, before in scores["label"].value_counts().sort_index().items()
    ]
    assert pd.read_csv(out)["example_id"].tolist() == scores["example_id"][kept].tolist()
    assert said("select", "latest", *options_of(rule)) == content | {"file": None}
    assert not workspace.database.exists()


def test_select_warns_of_a_class_that_vanishes(copied, run_verb):
    scores = pd.read_parquet(copied.scores_file)
    value = scores.loc[scores["label"] == "neg", "aum"].max()
    only = scores[scores["aum"] > value]
    assert set(only["label"]) < {"neg", "neu", "pos"}, "the run has no window without a class"
    status, out, err = run_verb("select", "latest", "--by", "aum", "--kind", "window", "--low", value + 1e-9)
    assert status == 0
    assert "Class neg would vanish" in err
    assert out.splitlines()[0].startswith(f"{len(only)} of {len(scores)} training examples stay (aum from")


def test_select_refuses_what_leaves_nothing(copied, refused):
    assert "Widen the window" in refused("select", "latest", "--kind", "window", "--low", 99)


@pytest.mark.parametrize("kind", KINDS)
def test_export_and_retrain_take_a_saved_rule(imported, copied, said, workspace, tmp_path, kind):
    """The run of two seeds and one step has correctness 0, 0.5 and 1: `auto` keeps those at 0.5 or more."""
    rule = {
        "shares": Rule("aum", 0.5, 0.1, True),
        "window": Rule(kind="window", low=0.2),
        "random": Rule(kind="random", keep=0.5, per_class=True),
        "auto": Rule(kind="auto", low=0.5, high=1),
    }[kind]
    save_rule(workspace, "mine", rule)
    scores = pd.read_parquet(copied.scores_file)
    kept = is_kept(scores, rule)
    out = tmp_path / "clean.csv"
    exported = said("export", "sentences", "--out", out, "--run", copied.run_id, "--rule", "mine")
    assert exported["dropped"] == (~kept).sum()
    manifest = json.loads((tmp_path / "clean.csv.manifest.json").read_text())
    assert manifest["rule"] == to_json(rule)
    folder = planned_retraining(parsed(workspace, "retrain", copied.run_id, "--rule", "mine"))
    assert plan_of(folder).arms[0].rule == rule
    train = pd.read_parquet(folder.training_folder("selected-10000") / "train.parquet")
    assert train["example_id"].tolist() == scores["example_id"][kept].tolist()


def test_export_without_a_run_takes_no_rule(refused, imported, workspace, tmp_path):
    save_rule(workspace, "mine", Rule())
    for options in (["--rule", "mine"], ["--kind", "auto"], ["--per-class"]):
        message = refused("export", "sentences", "--out", tmp_path / "o.csv", *options)
        assert "needs the scores of a run. Add --run RUN." in message
