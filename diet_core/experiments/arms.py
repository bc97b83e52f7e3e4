"""The arms of a plan: what each trains on, a selection beside its baselines, a sweep over shares."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from diet_core.errors import DietError, SettingError
from diet_core.json_input import checked_fields
from diet_core.rule import DYNAMIC_SCORES, DynamicPruning, Rule, rule_from_json
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
SELECTED: Final = "selected"
_NAME: Final = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}\Z")
_MUST_HAVE: Final = {"rule": "rule", "random": "like"}
_MAY_HAVE: Final = {
    "rule": ("rule", "step", "prune", "every", "warmup", "words"),
    "full": ("words",),
    "random": ("like", "words"),
    "ids": ("ids", "words"),
}
# Names of trainings that belong to no arm.
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
        shares = {name: getattr(self.rule, name) for name in ("by", "keep", "drop_hardest", "per_class")}
        given: dict[str, Any] = {"every": self.every, "warmup": self.warmup}
        return DynamicPruning(**shares, **{name: value for name, value in given.items() if value is not None})

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


_TITLES: Final[dict[str, Callable[[Arm], str]]] = {
    "rule": _rule_title,
    "full": lambda arm: "All examples",
    "random": lambda arm: "Random, same size" if arm.name == "random" else f"Random, as many as {arm.like}",
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
    name = content.get("name") if isinstance(content, Mapping) else None
    place = where if name is None else f"arm {name!r} of {where}"
    fields = checked_fields(content, Arm, "an arm", place, '{"name": "full", "kind": "full"}')
    if name is None:
        raise SettingError(f"{where} has an arm without a name. Give each one a name.")
    if fields.get("rule") is not None:
        fields["rule"] = rule_from_json(fields["rule"], place)
    try:
        return Arm(**fields)
    except DietError as error:
        raise SettingError(f"In {where}: {error}") from error


def standard_arms(
    rule: Rule, baselines: Sequence[str] = BASELINES, prune: Sequence[str] = ("static",)
) -> tuple[Arm, ...]:
    """Return a selection beside its baselines: selected, full, random, and dynamic where asked for.

    Args:
        rule: What is kept.
        baselines: Of full and random.
        prune: Of static and dynamic.

    Raises:
        SettingError: If a name is unknown, neither way of pruning is asked for, or the rule cannot prune
            dynamically.

    >>> [arm.name for arm in standard_arms(Rule(), prune=("static", "dynamic"))]
    ['selected', 'dynamic', 'full', 'random']
    """
    if not prune:
        raise SettingError(f"There is no way to prune. Choose of: {', '.join(PRUNES)}.")
    names = {"static": SELECTED}
    ours = [Arm(names.get(way, way), rule=rule, prune=way) for way in prune]
    return (*ours, *_baselines(baselines, like=ours[0].name))


def _baselines(names: Sequence[str], like: str) -> list[Arm]:
    if unknown := [name for name in names if name not in BASELINES]:
        raise SettingError(f"{unknown[0]!r} is not a baseline. Choose from: {', '.join(BASELINES)}.")
    of_kind = {"full": Arm("full", kind="full"), "random": Arm("random", kind="random", like=like)}
    return [of_kind[name] for name in BASELINES if name in names]


def sweep_arms(
    scores: Sequence[str],
    keeps: Sequence[float],
    drops: Sequence[float] = (0.0,),
    *,
    per_class: bool = False,
    baselines: Sequence[str] = BASELINES,
) -> tuple[Arm, ...]:
    """Return an arm for each score, keep and drop-hardest, and a random one for each size that they have.

    What keeps everything is the arm full, and left out where that is a baseline.

    Args:
        scores: Columns of the scores table.
        keeps: Shares kept from the hard end.
        drops: Shares of all then removed from the very top.
        per_class: Apply the shares within each class.
        baselines: Of full and random.

    Raises:
        SettingError: If a share or score is out of range, or there is nothing to compare.

    >>> [arm.name for arm in sweep_arms(["el2n", "grand"], [0.7], [0, 0.04])][:3]
    ['el2n-keep0.7', 'el2n-keep0.7-drop0.04', 'grand-keep0.7']
    >>> [arm.name for arm in sweep_arms(["el2n", "grand"], [0.7], [0, 0.04])][4:]
    ['full', 'random-keep0.7', 'random-keep0.66']
    """
    rules = [Rule(by, k, m, per_class) for by in scores for k in keeps for m in drops]
    whole = "full" in baselines
    ours = [Arm(_sweep_name(rule), rule=rule) for rule in rules if not (whole and share_kept(rule) == 1)]
    if not ours:
        raise SettingError("Nothing is swept over. Give at least one score and a share to keep below 1.")
    named = {arm.name: arm for arm in (*ours, *_baselines(baselines, ours[0].name))}
    if named.pop("random", None):
        named |= {arm.name: arm for arm in _randoms(ours)}
    return tuple(named.values())


def _sweep_name(rule: Rule) -> str:
    drop = f"-drop{rule.drop_hardest:.12g}" if rule.drop_hardest else ""
    return f"{rule.by}-keep{rule.keep:.12g}{drop}"


def _randoms(ours: Sequence[Arm]) -> list[Arm]:
    """Return a random arm for each share that the arms keep, as many as the first of them."""
    first: dict[Decimal, Arm] = {}
    for arm in ours:
        assert arm.rule is not None
        first.setdefault(share_kept(arm.rule) or Decimal(0), arm)
    return [
        Arm(f"random-keep{share:f}", "random", like=arm.name, words=f"Random, keep {share:f}")
        for share, arm in first.items()
    ]


def share_kept(rule: Rule) -> Decimal | None:
    """Return the share of all examples that a rule by shares keeps; None for other kinds.

    >>> share_kept(Rule(keep=0.7, drop_hardest=0.04)), share_kept(Rule(kind="auto"))
    (Decimal('0.66'), None)
    """
    if rule.kind not in ("shares", "random"):
        return None
    share = Decimal(str(rule.keep)) - Decimal(str(rule.drop_hardest))
    return Decimal(f"{share.normalize():f}")


def reference_of(arm: Arm, arms: Sequence[Arm], n_train: Callable[[Arm], int | None]) -> Arm | None:
    """Return the random arm that a selection is compared with; None without one.

    The one that is like it, else one of the same share (a dynamic selection has its static one's), else one
    that trains on as many examples.

    Args:
        arm: The selection.
        arms: All of the plan.
        n_train: Tells how many examples an arm trains on; None where that is not known yet.

    >>> arms = sweep_arms(["el2n", "grand"], [0.7])
    >>> reference_of(arms[1], arms, lambda arm: None).name
    'random-keep0.7'
    """
    randoms = [other for other in arms if other.kind == "random"]
    shapes = {other.name: _shape(other) for other in arms}
    n = None if arm.is_dynamic else n_train(arm)
    same_name = [other for other in randoms if other.like == arm.name]
    same_share = [r for r in randoms if shapes[arm.name] and shapes[str(r.like)] == shapes[arm.name]]
    same_size = [other for other in randoms if n is not None and n_train(other) == n]
    return next(iter([*same_name, *same_share, *same_size]), None)


def _shape(arm: Arm) -> tuple[Decimal, bool] | None:
    """Return the share that an arm selects and whether within each class; None where no share says it."""
    share = None if arm.rule is None else share_kept(arm.rule)
    return None if arm.rule is None or share is None else (share, arm.rule.per_class)
