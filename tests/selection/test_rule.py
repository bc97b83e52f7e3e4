"""Rules: what each kind takes, what it refuses, and the way through JSON."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diet_core.config import Rule as RuleOfConfig
from diet_core.config import to_json
from diet_core.errors import SettingError
from diet_core.rule import KINDS, Rule, rule_from_json
from diet_core.tables import SCORES

SHARES = st.integers(1, 1000).map(lambda n: n / 1000)
VALUES = st.none() | st.floats(-1e6, 1e6)


@st.composite
def rules(draw) -> Rule:
    """A rule of any kind."""
    kind = draw(st.sampled_from(list(KINDS)))
    by = draw(st.sampled_from(list(SCORES)))
    if kind in ("shares", "random"):
        keep, per_class = draw(SHARES), draw(st.booleans())
        if kind == "shares":
            return Rule(by, keep, draw(st.floats(0, keep, exclude_max=True)), per_class)
        return Rule(by, keep, per_class=per_class, kind=kind, seed=draw(st.integers(0, 2**63 - 1)))
    ends = sorted([draw(st.floats(0, 1)), draw(st.floats(0, 1))])
    low, high = (draw(st.none() | st.just(end)) for end in ends)
    return Rule(by, kind=kind, low=low, high=high)


def test_rule_is_the_one_of_config():
    assert RuleOfConfig is Rule


def test_rule_of_the_first_four_fields_means_shares():
    assert Rule("aum", 0.5, 0.1, True) == Rule(by="aum", keep=0.5, drop_hardest=0.1, per_class=True)
    assert Rule().kind == "shares"


def test_rules_of_equal_effect_are_equal():
    assert Rule(kind="window", keep=0.5, low=0.1) == Rule(kind="window", keep=0.9, low=0.1)
    assert Rule(kind="random", keep=0.5, drop_hardest=0.3) == Rule(kind="random", keep=0.5)
    assert Rule(kind="auto", by="aum", keep=0.2) == Rule(kind="auto")
    assert (Rule(kind="auto").keep, Rule(kind="auto").drop_hardest) == (1, 0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "top"}, "'top' is not a kind of rule. Choose one of: shares, window, random, auto."),
        (
            {"low": 0.2},
            "low is 0.2, which a rule of kind shares has no use for. "
            "Leave it out, or choose the kind window or auto.",
        ),
        ({"seed": 3}, "seed is 3, .* Leave it out, or choose the kind random."),
        ({"kind": "window", "per_class": True}, "per-class is True, .*kind shares or random."),
        ({"kind": "auto", "seed": 1}, "seed is 1"),
        ({"kind": "random", "high": 0.0}, "high is 0.0"),
        ({"kind": "random", "keep": 0}, "keep is 0"),
        ({"kind": "random", "seed": -1}, "seed is -1. Give a whole number from 0 on."),
        ({"kind": "random", "seed": 2**63}, "seed is 9223372036854775808"),
        ({"kind": "window", "low": 0.3, "high": 0.2}, r"low \(0.3\) lies above high \(0.2\)"),
        ({"kind": "window", "low": float("nan")}, "low is nan. Give a number"),
        ({"kind": "window", "high": float("inf")}, "high is inf"),
        ({"kind": "auto", "low": 3}, "low is 3. Give the share of predictions that are right"),
        ({"kind": "auto", "low": 0.5, "high": 0.2}, "lies above high"),
    ],
)
def test_rule_refuses_what_its_kind_cannot_use(fields, message):
    with pytest.raises(SettingError, match=message):
        Rule(**fields)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(), "keep 0.7 and drop-hardest 0.04"),
        (Rule(keep=1, drop_hardest=0, per_class=True), "keep 1 and drop-hardest 0 within each class"),
        (Rule("aum", kind="window"), "any aum"),
        (Rule("aum", kind="window", low=-2, high=0.5), "aum from -2 up to 0.5"),
        (Rule(kind="random", keep=0.3, seed=4), "keep 0.3 at random (draw 4)"),
        (Rule(kind="auto"), "right at least once and not always"),
        (
            Rule(kind="auto", low=0.2, high=0.9),
            "right in 0.2 of the predictions or more and in 0.9 of the predictions or less",
        ),
    ],
)
def test_rule_says_itself_in_words(rule, words):
    assert rule.in_words == words


@settings(deadline=None)
@given(rules())
def test_rule_comes_back_from_json(rule):
    assert rule_from_json(json.loads(json.dumps(to_json(rule))), "r.json") == rule


def test_rule_from_json_takes_defaults_where_it_is_silent():
    assert rule_from_json({}, "r.json") == Rule()
    assert rule_from_json({"keep": 1, "drop_hardest": 0}, "r.json") == Rule(keep=1, drop_hardest=0)


def test_rule_from_json_takes_the_four_fields_of_an_earlier_manifest():
    old = {"by": "el2n", "keep": 0.6, "drop_hardest": 0.1, "per_class": False}
    assert rule_from_json(old, "o.csv.manifest.json") == Rule(keep=0.6, drop_hardest=0.1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([0.7], "r.json holds no rule"),
        ({"share": 0.7}, "'share' in r.json is no part of a rule. A rule has: by, keep, drop_hardest,"),
        ({"keep": "0.7"}, "keep in r.json is '0.7'. Give a number."),
        ({"keep": True}, "keep in r.json is True. Give a number."),
        ({"keep": None}, "keep in r.json is None. Give a number."),
        ({"per_class": 1}, "per_class in r.json is 1. Give true or false."),
        ({"kind": ["auto"]}, r"kind in r.json is \['auto'\]. Give a text."),
        ({"kind": "random", "seed": 1.5}, "seed in r.json is 1.5. Give a whole number."),
        ({"kind": "window", "low": 10**400}, "low in r.json is 1000"),
        ({"keep": 1.5}, "keep is 1.5"),
    ],
)
def test_rule_from_json_names_key_and_file(content, message):
    with pytest.raises(SettingError, match=message):
        rule_from_json(content, "r.json")


def test_every_field_of_a_rule_has_a_type_in_json():
    for field in dataclasses.fields(Rule):
        with pytest.raises(SettingError, match=f"{field.name} in r.json"):
            rule_from_json({field.name: {}}, "r.json")
