"""Saved rules: names, files, damage."""

from __future__ import annotations

import json

import pytest

from diet_core.errors import NotFoundError, SettingError
from diet_core.pruning.saved_rules import delete_rule, read_rule, save_rule, saved_rule, saved_rules
from diet_core.rule import Rule

RULES = {
    "auto-6": Rule(kind="auto", low=2 / 6),
    "draw": Rule(kind="random", keep=0.3, seed=4, per_class=True),
    "paper": Rule(),
    "window": Rule("aum", kind="window", low=-1.5),
}
ODD_NAMES = ["", "Big", "a/b", "../x", "a.json", "é", "a" * 65, "a\n", "."]


def test_saved_rules_come_back_by_name(workspace):
    for name, rule in reversed(RULES.items()):
        save_rule(workspace, name, rule)
    found, damaged = saved_rules(workspace)
    assert {saved.name: saved.rule for saved in found} == RULES
    assert [saved.name for saved in found] == sorted(RULES)
    assert damaged == []
    assert all(saved_rule(workspace, name).rule == rule for name, rule in RULES.items())


def test_saved_rule_says_when_and_on_what(workspace):
    saved = save_rule(workspace, "paper", Rule(), run_id="r-20261121-142530-1a2b", dataset="r")
    assert saved_rule(workspace, "paper") == saved
    assert saved.saved_at.endswith("+00:00")
    assert (saved.run_id, saved.dataset) == ("r-20261121-142530-1a2b", "r")


def test_no_rules_are_an_empty_list(workspace):
    assert saved_rules(workspace) == ([], [])


def test_save_rule_leaves_one_file_of_json(workspace):
    save_rule(workspace, "paper", Rule())
    assert [file.name for file in workspace.rules.iterdir()] == ["paper.json"]
    content = json.loads((workspace.rules / "paper.json").read_text())
    assert content["rule"]["keep"] == 0.7
    assert set(content) == {"rule", "saved_at", "run_id", "dataset"}


def test_another_rule_of_the_name_is_replaced_only_if_asked(workspace):
    save_rule(workspace, "paper", Rule())
    save_rule(workspace, "paper", Rule())
    with pytest.raises(SettingError, match="There is another rule 'paper' already"):
        save_rule(workspace, "paper", Rule(keep=0.5))
    assert saved_rule(workspace, "paper").rule == Rule()
    save_rule(workspace, "paper", Rule(keep=0.5), overwrite=True)
    assert saved_rule(workspace, "paper").rule == Rule(keep=0.5)


def test_delete_rule_deletes_once(workspace):
    save_rule(workspace, "paper", Rule())
    delete_rule(workspace, "paper")
    assert saved_rules(workspace) == ([], [])
    for look in (delete_rule, saved_rule):
        with pytest.raises(NotFoundError, match="There is no rule 'paper' in"):
            look(workspace, "paper")


@pytest.mark.parametrize("name", ODD_NAMES, ids=repr)
def test_names_from_anywhere_are_checked(workspace, name):
    for act in (saved_rule, delete_rule, lambda place, name: save_rule(place, name, Rule())):
        with pytest.raises(SettingError, match="cannot name a rule"):
            act(workspace, name)
    assert not workspace.rules.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as JSON"),
        (b'{"rule": {"keep": 0.7', "cannot be read as JSON"),
        (b"\xff\xfe", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b"[1]", "holds no rule"),
        (b'{"rule": null}', "holds no rule"),
        (b'{"rule": {"by": "beauty"}}', "'beauty' is not a score"),
        (b'{"rule": {"kept": 0.7}}', "'kept' in .*bad.json is no part of a rule"),
        (b'{"keep": NaN}', "keep is nan"),
    ],
    ids=["empty", "cut off", "binary", "deep", "list", "null", "no score", "unknown key", "nan"],
)
def test_damaged_files_are_told_and_skipped(workspace, content, message):
    save_rule(workspace, "paper", Rule())
    (workspace.rules / "bad.json").write_bytes(content)
    found, (sentence,) = saved_rules(workspace)
    assert [saved.name for saved in found] == ["paper"]
    with pytest.raises(SettingError, match=message) as error:
        saved_rule(workspace, "bad")
    assert sentence == str(error.value)


def test_files_of_other_names_are_told(workspace):
    save_rule(workspace, "paper", Rule())
    (workspace.rules / "My rule.json").write_text("{}")
    assert saved_rules(workspace)[1] == [
        "'My rule' cannot name a rule. Use up to 64 of the characters a-z, 0-9, _ and -."
    ]


def test_a_damaged_file_can_be_replaced_and_deleted(workspace):
    workspace.rules.mkdir(parents=True)
    (workspace.rules / "paper.json").write_text("{")
    with pytest.raises(SettingError, match="another rule"):
        save_rule(workspace, "paper", Rule())
    save_rule(workspace, "paper", Rule(), overwrite=True)
    assert saved_rule(workspace, "paper").rule == Rule()


def test_read_rule_takes_a_name_a_file_and_a_manifest(workspace, tmp_path):
    rule = Rule("aum", keep=0.5)
    save_rule(workspace, "mine", rule)
    (tmp_path / "plain.json").write_text('{"by": "aum", "keep": 0.5}')
    (tmp_path / "o.csv.manifest.json").write_text('{"rule": {"by": "aum", "keep": 0.5}, "rows": {}}')
    for given in ("mine", workspace.rules / "mine.json", *tmp_path.glob("*.json")):
        assert read_rule(workspace, str(given)).rule == rule
    with pytest.raises(NotFoundError, match=r"There is no file .*none\.json"):
        read_rule(workspace, str(tmp_path / "none.json"))
    with pytest.raises(SettingError, match="cannot be read as JSON"):
        read_rule(workspace, str(tmp_path))
    with pytest.raises(NotFoundError, match="There is no rule 'nobodys'"):
        read_rule(workspace, "nobodys")
