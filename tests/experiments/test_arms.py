"""Arms: what fits together, what they are called, and the same from JSON."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from diet_core.errors import SettingError
from diet_core.experiments.arms import (
    Arm,
    arm_from_json,
    arm_to_json,
    reference_of,
    share_kept,
    standard_arms,
    sweep_arms,
)
from diet_core.rule import Rule
from tests.conftest import n_sentences

RULE = Rule()


def names(arms) -> list[str]:
    return [arm.name for arm in arms]


@pytest.mark.parametrize("name", ["selected", "el2n-keep0.7-drop0.04", "0", "a_b", "x" * 64])
def test_names_may_be_those_of_folders(name):
    assert Arm(name, kind="full").name == name


@pytest.mark.parametrize("name", ["", "A", "-x", ".x", "..", "a/b", "a b", "x" * 65, "ä", "a\n"])
def test_names_that_could_lead_elsewhere_are_refused(name):
    with pytest.raises(SettingError, match="cannot name an arm") as caught:
        Arm(name, kind="full")
    assert n_sentences(str(caught.value)) <= 2


@pytest.mark.parametrize("name", ["fold", "score"])
def test_names_of_other_units_are_taken(name):
    with pytest.raises(SettingError, match="cannot name an arm"):
        Arm(name, kind="full")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"kind": "best"}, "kind of arm a is 'best'"),
        ({"kind": "rule"}, "Arm a of kind rule has no rule"),
        ({"kind": "random"}, "Arm a of kind random has no like"),
        ({"kind": "full", "rule": RULE}, "kind full has no use for rule"),
        ({"kind": "full", "like": "b"}, "kind full has no use for like"),
        ({"kind": "random", "like": "b", "step": 3}, "kind random has no use for step"),
        ({"kind": "ids", "prune": "dynamic"}, "kind ids has no use for prune"),
        ({"rule": RULE, "like": "b"}, "kind rule has no use for like"),
        ({"rule": RULE, "prune": "both"}, "prune of arm a is 'both'"),
        ({"rule": RULE, "every": 10}, "has every or warmup, which static pruning has no use for"),
        ({"rule": RULE, "warmup": 0.1}, "has every or warmup"),
        ({"rule": Rule(kind="auto"), "prune": "dynamic"}, "cannot prune dynamically"),
        ({"rule": Rule("grand"), "prune": "dynamic"}, "cannot prune dynamically by grand"),
        ({"rule": RULE, "prune": "dynamic", "step": 100}, "prunes dynamically, by scores of its own"),
        ({"rule": RULE, "prune": "dynamic", "every": 0}, "every is 0"),
        ({"rule": RULE, "prune": "dynamic", "warmup": 1.0}, "warmup is 1"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, message):
    with pytest.raises(SettingError, match=message) as caught:
        Arm("a", **parts)
    assert n_sentences(str(caught.value)) <= 2


@pytest.mark.parametrize(
    ("arm", "title"),
    [
        (Arm("a", rule=Rule()), "EL2N, keep 0.7, drop hardest 0.04"),
        (Arm("a", rule=Rule(drop_hardest=0.0, per_class=True)), "EL2N, keep 0.7, per class"),
        (Arm("a", rule=Rule(keep=1, drop_hardest=0.1)), "EL2N, drop hardest 0.1"),
        (Arm("a", rule=Rule(keep=1, drop_hardest=0.0)), "EL2N, keep 1"),
        (Arm("a", rule=Rule("grand"), step=50), "GraNd, keep 0.7, drop hardest 0.04, scores of step 50"),
        (
            Arm("a", rule=Rule(drop_hardest=0.0), prune="dynamic"),
            "EL2N, keep 0.7, dynamic at equal steps",
        ),
        (Arm("a", rule=Rule("aum", kind="window", low=0.5)), "AUM from 0.5"),
        (Arm("a", kind="full"), "All examples"),
        (Arm("random", kind="random", like="a"), "Random, same size"),
        (Arm("r", kind="random", like="a"), "Random, as many as a"),
        (Arm("oracle", kind="ids"), "oracle"),
        (Arm("oracle", kind="ids", words="Without the wrong labels"), "Without the wrong labels"),
    ],
)
def test_titles_say_what_is_trained_on(arm, title):
    assert arm.title == title


@pytest.mark.parametrize(
    "arm",
    [
        Arm("a", rule=Rule("aum", 0.5, 0.1, True)),
        Arm("a", rule=RULE, step=100),
        Arm("a", rule=RULE, prune="dynamic", every=20, warmup=0.25),
        Arm("b", kind="random", like="a"),
        Arm("c", kind="full"),
        Arm("d", kind="ids", ids="kept.csv", words="Kept"),
    ],
)
def test_json_and_back_is_the_same_arm(arm):
    assert arm_from_json(json.loads(json.dumps(arm_to_json(arm))), "plan.json") == arm


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "plan.json holds no arm"),
        ({"kind": "full"}, "plan.json has an arm without a name"),
        ({"name": "a", "kind": "full", "size": 3}, "'size' in arm 'a' of plan.json is no part of an arm"),
        ({"name": "a", "kind": 1}, "kind in arm 'a' of plan.json is 1. Give a text"),
        ({"name": "a", "rule": "paper"}, "rule in arm 'a' of plan.json is 'paper'"),
        ({"name": "a", "rule": {"keep": 2}}, "keep is 2"),
        ({"name": "a", "rule": {"share": 0.5}}, "'share' in arm 'a' of plan.json is no part of a rule"),
        ({"name": "a", "rule": {}, "step": True}, "step in arm 'a' of plan.json is True"),
        ({"name": "a"}, "In plan.json: Arm a of kind rule has no rule"),
        ({"name": 3, "kind": "full"}, "name in arm 3 of plan.json is 3"),
    ],
)
def test_json_that_is_no_arm_is_refused_by_file_arm_and_key(content, message):
    with pytest.raises(SettingError) as caught:
        arm_from_json(content, "plan.json")
    assert message in str(caught.value)
    assert n_sentences(str(caught.value)) <= 2


def test_standard_arms_keep_their_names():
    assert names(standard_arms(RULE)) == ["selected", "full", "random"]
    assert names(standard_arms(RULE, baselines=("random",))) == ["selected", "random"]
    assert names(standard_arms(RULE, prune=("dynamic",))) == ["dynamic", "full", "random"]


def test_random_is_like_the_selection_that_is_there():
    assert standard_arms(RULE, ("random",), ("static", "dynamic"))[-1].like == "selected"
    assert standard_arms(RULE, ("random",), ("dynamic",))[-1].like == "dynamic"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"baselines": ("best",)}, "'best' is not a baseline"),
        ({"prune": ()}, "no way to prune"),
        ({"prune": ("both",)}, "prune of arm both is 'both'"),
    ],
)
def test_standard_arms_of_other_names_are_refused(arguments, message):
    with pytest.raises(SettingError, match=message):
        standard_arms(RULE, **arguments)


def test_sweep_has_a_random_arm_per_size_that_the_scores_share():
    arms = sweep_arms(["el2n", "grand"], [0.5, 0.7], [0.0, 0.2])
    assert names(arms) == [
        "el2n-keep0.5",
        "el2n-keep0.5-drop0.2",
        "el2n-keep0.7",
        "el2n-keep0.7-drop0.2",
        "grand-keep0.5",
        "grand-keep0.5-drop0.2",
        "grand-keep0.7",
        "grand-keep0.7-drop0.2",
        "full",
        "random-keep0.5",  # also of 0.7 less 0.2
        "random-keep0.3",
        "random-keep0.7",
    ]
    assert arms[-1].title == "Random, keep 0.7"


def test_sweep_leaves_out_what_the_arm_full_trains_on():
    assert names(sweep_arms(["el2n"], [1.0, 0.5])) == ["el2n-keep0.5", "full", "random-keep0.5"]
    assert names(sweep_arms(["el2n"], [1.0], [0.1])) == ["el2n-keep1-drop0.1", "full", "random-keep0.9"]
    assert names(sweep_arms(["el2n"], [1.0], baselines=())) == ["el2n-keep1"]


def test_sweep_over_the_same_share_twice_has_one_arm():
    assert names(sweep_arms(["el2n", "el2n"], [0.5, 0.50], baselines=())) == ["el2n-keep0.5"]


def test_sweep_per_class_is_so_in_every_arm():
    arms = sweep_arms(["el2n"], [0.5], per_class=True, baselines=("random",))
    assert arms[0].rule == Rule(keep=0.5, drop_hardest=0.0, per_class=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["el2n"], []), "Nothing is swept over"),
        (([], [0.5]), "Nothing is swept over"),
        ((["el2n"], [1.0]), "Nothing is swept over"),
        ((["size"], [0.5]), "'size' is not a score"),
        ((["el2n"], [1.5]), "keep is 1.5"),
        ((["el2n"], [0.3], [0.3]), "takes away all"),
    ],
)
def test_sweeps_over_nothing_or_out_of_range_are_refused(arguments, message):
    with pytest.raises(SettingError, match=message):
        sweep_arms(*arguments)


def test_share_kept_is_exact_in_decimal():
    assert share_kept(Rule(keep=0.7, drop_hardest=0.04)) == Decimal("0.66")
    assert share_kept(Rule(keep=0.3, drop_hardest=0.1)) == Decimal("0.2")
    assert share_kept(Rule(kind="window")) is None


def test_a_selection_is_compared_with_the_random_arm_of_its_size():
    arms = {arm.name: arm for arm in sweep_arms(["el2n", "grand"], [0.5, 0.7], [0.0, 0.2])}

    def reference(name: str) -> str | None:
        found = reference_of(arms[name], tuple(arms.values()), lambda arm: None)
        return found and found.name

    assert reference("grand-keep0.7-drop0.2") == "random-keep0.5"
    assert reference("grand-keep0.7") == "random-keep0.7"


def test_a_dynamic_selection_is_compared_with_the_random_arm_of_the_static_one():
    arms = standard_arms(RULE, prune=("static", "dynamic"))
    assert reference_of(arms[1], arms, lambda arm: 100).name == "random"


def test_a_list_is_compared_with_a_random_arm_of_as_many():
    arms = (Arm("list", kind="ids"), *standard_arms(RULE))
    sizes = {"list": 66, "random": 66, "selected": 66, "full": 100}
    assert reference_of(arms[0], arms, lambda arm: sizes[arm.name]).name == "random"
    assert reference_of(arms[0], arms, lambda arm: {"list": 60}.get(arm.name, 66)) is None
