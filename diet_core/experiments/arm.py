"""An arm of a plan: what it trains on, checked when made, the same as a JSON object."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from diet_core.dynamic import DYNAMIC_SCORES, DynamicPruning
from diet_core.errors import DietError, SettingError
from diet_core.rule import Rule, rule_from_json
from diet_core.run_config import FOLD
from diet_core.tables import SCORES

KINDS: Final = {
    "rule": "what a rule keeps",
    "full": "all training examples",
    "random": "as many as another arm, drawn afresh for each repeat",
    "ids": "the examples of a list",
}
PRUNES: Final = ("static", "dynamic")
BASELINES: Final = ("full", "random")
_NAME: Final = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}\Z")
_MUST_HAVE: Final = {"rule": "rule", "random": "like"}
_MAY_HAVE: Final = {
    "rule": ("rule", "step", "prune", "every", "warmup", "words"),
    "full": ("words",),
    "random": ("like", "words"),
    "ids": ("ids", "words"),
}
# What units that are no arms are called.
_TAKEN: Final = (FOLD, "score")


@dataclass(frozen=True)
class Arm:
    """One way to choose the training examples, trained once per repeat.

    Attributes:
        name: Up to 64 of a-z, 0-9, `_`, `.` and `-`, the first a letter or digit.
        kind: One of `KINDS`.
        rule: Of the kind rule: what is kept.
        like: Of the kind random: the arm that gives the size (within each class where its rule is per class).
        step: Of the kind rule: the score step whose scores the rule goes by; None = the last one.
        prune: `static` selects once, before the training, by the run's scores. `dynamic` trains on the whole
            pool and selects anew while it trains, as many steps as the static selection would take.
        every: Of dynamic: steps between two selections; None = the default.
        warmup: Of dynamic: share of the steps that train on everything first; None = the default.
        ids: Of the kind ids: the file that they come from, for information.
        words: What screens call it; None = what follows from the rest.

    >>> Arm("selected", rule=Rule()).title, Arm("full", kind="full").title
    ('EL2N, keep 0.7, drop hardest 0.04', 'All examples')
    """

    name: str
    kind: str = "rule"
    rule: Rule | None = None
    like: str | None = None
    step: int | None = None
    prune: str = "static"
    every: int | None = None
    warmup: float | None = None
    ids: str | None = None
    words: str | None = None

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        if not _NAME.match(self.name) or self.name in _TAKEN:
            raise SettingError(
                f"{self.name!r} cannot name an arm. Use up to 64 of the characters a-z, 0-9, _, . and -, "
                f"the first a letter or digit, and not {' or '.join(_TAKEN)}."
            )
        if self.kind not in KINDS:
            raise SettingError(
                f"kind of arm {self.name} is {self.kind!r}. Choose one of: {', '.join(KINDS)}."
            )
        if self.prune not in PRUNES:
            raise SettingError(
                f"prune of arm {self.name} is {self.prune!r}. Choose one of: {', '.join(PRUNES)}."
            )
        _check_parts(self)
        if self.is_dynamic:
            _check_dynamic(self)

    @property
    def is_dynamic(self) -> bool:
        """Whether it selects anew while it trains."""
        return self.prune == "dynamic"

    @property
    def dynamic(self) -> DynamicPruning | None:
        """How it selects while it trains; None of an arm that does not.

        Raises:
            SettingError: If every or warmup is out of range.
        """
        if not self.is_dynamic or self.rule is None:
            return None
        given: dict[str, Any] = {"every": self.every, "warmup": self.warmup}
        return DynamicPruning(
            by=self.rule.by,
            keep=self.rule.keep,
            drop_hardest=self.rule.drop_hardest,
            per_class=self.rule.per_class,
            **{name: value for name, value in given.items() if value is not None},
        )

    @property
    def is_baseline(self) -> bool:
        """Whether others are compared with it: all examples, or a random choice."""
        return self.kind in BASELINES

    @property
    def title(self) -> str:
        """Short words for screens and legends.

        >>> Arm("x", rule=Rule(keep=0.5, drop_hardest=0, per_class=True), prune="static", step=100).title
        'EL2N, keep 0.5, per class, scores of step 100'
        >>> Arm("random", kind="random", like="selected").title
        'Random, same size'
        """
        return self.words or _TITLES[self.kind](self)


def _check_parts(arm: Arm) -> None:
    """Check that what the kind needs is there, and nothing else."""
    needed = _MUST_HAVE.get(arm.kind)
    if needed and getattr(arm, needed) is None:
        raise SettingError(f"Arm {arm.name} of kind {arm.kind} has no {needed}. Give it one.")
    for field in dataclasses.fields(arm)[2:]:  # what follows name and kind
        if getattr(arm, field.name) != field.default and field.name not in _MAY_HAVE[arm.kind]:
            raise SettingError(
                f"Arm {arm.name} of kind {arm.kind} has no use for {field.name}. Leave it out."
            )
    if not arm.is_dynamic and (arm.every is not None or arm.warmup is not None):
        raise SettingError(
            f"Arm {arm.name} has every or warmup, which static pruning has no use for. "
            'Leave them out, or set prune to "dynamic".'
        )


def _check_dynamic(arm: Arm) -> None:
    assert arm.rule is not None
    if arm.rule.kind != "shares" or arm.rule.by not in DYNAMIC_SCORES:
        raise SettingError(
            f"Arm {arm.name} cannot prune dynamically by {arm.rule.by}, {arm.rule.in_words}. "
            f"Give a rule by shares of {' or '.join(DYNAMIC_SCORES)}, or prune statically."
        )
    if arm.step is not None:
        raise SettingError(
            f"Arm {arm.name} prunes dynamically, by scores of its own, and has a score step. Leave step out."
        )
    _ = arm.dynamic  # which checks every and warmup


def _rule_title(arm: Arm) -> str:
    rule = arm.rule
    assert rule is not None
    words = (
        rule.in_words.replace(rule.by, SCORES[rule.by].title, 1) if rule.kind == "window" else rule.in_words
    )
    parts = [words[:1].upper() + words[1:]]
    if rule.kind == "shares":
        parts = [SCORES[rule.by].title]
        parts += [f"keep {rule.keep:g}"] if rule.keep < 1 or not rule.drop_hardest else []
        parts += [f"drop hardest {rule.drop_hardest:g}"] if rule.drop_hardest else []
        parts += ["per class"] if rule.per_class else []
    parts += [] if arm.step is None else [f"scores of step {arm.step}"]
    return ", ".join(parts + (["dynamic at equal steps"] if arm.is_dynamic else []))


def _random_title(arm: Arm) -> str:
    return "Random, same size" if arm.name == "random" else f"Random, as many as {arm.like}"


_TITLES: Final[dict[str, Callable[[Arm], str]]] = {
    "rule": _rule_title,
    "full": lambda arm: "All examples",
    "random": _random_title,
    "ids": lambda arm: arm.name,
}


def arm_to_json(arm: Arm) -> dict[str, Any]:
    """Return an arm as a dict that JSON can hold, without what it leaves at the default.

    >>> arm_to_json(Arm("random-10", kind="random", like="el2n-10"))
    {'name': 'random-10', 'kind': 'random', 'like': 'el2n-10'}
    """
    content = dataclasses.asdict(arm)
    defaults = {field.name: field.default for field in dataclasses.fields(arm) if field.name != "kind"}
    return {key: value for key, value in content.items() if key not in defaults or value != defaults[key]}


_TYPES: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "name": ((str,), "a text"),
    "kind": ((str,), "a text"),
    "rule": ((dict,), "a rule, an object"),
    "like": ((str,), "the name of an arm"),
    "step": ((int,), "a whole number"),
    "prune": ((str,), "a text"),
    "every": ((int,), "a whole number"),
    "warmup": ((int, float), "a number"),
    "ids": ((str,), "the name of a file"),
    "words": ((str,), "a text"),
}


def arm_from_json(content: Any, where: str) -> Arm:
    """Return the arm that a JSON object describes; without a kind it is one of a rule.

    Args:
        content: What was read, an object with the fields of `Arm` as `arm_to_json` writes them.
        where: The file's name, for messages.

    Raises:
        SettingError: If it is no object, a key is unknown or its value of another type, or it is no arm; the
            message names the file, the arm and the key.

    >>> arm_from_json({"name": "hard", "rule": {"keep": 0.5}}, "plan.json").title
    'EL2N, keep 0.5, drop hardest 0.04'
    """
    if not isinstance(content, Mapping):
        raise SettingError(
            f'{where} has an arm that is no object. Give one like {{"name": "full", "kind": "full"}}.'
        )
    if "name" not in content:
        raise SettingError(f"{where} has an arm without a name. Give each one a name.")
    place = f"arm {content['name']!r} of {where}"
    for key, value in content.items():
        _check_type(key, value, place)
    rule = {"rule": rule_from_json(content["rule"], place)} if "rule" in content else {}
    try:
        return Arm(**{**dict[str, Any](content), **rule})
    except DietError as error:
        raise SettingError(f"In {where}: {error}") from error


def _check_type(key: str, value: Any, place: str) -> None:
    if key not in _TYPES:
        raise SettingError(f"{key!r} in {place} is no part of an arm. An arm has: {', '.join(_TYPES)}.")
    types, words = _TYPES[key]
    if not isinstance(value, types) or isinstance(value, bool):
        raise SettingError(f"{key} in {place} is {value!r}. Give {words}.")
