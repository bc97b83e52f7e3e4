"""The arms of a plan: a selection beside its baselines, or a sweep over shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from diet_core.errors import SettingError
from diet_core.experiments.arm import BASELINES as BASELINES
from diet_core.experiments.arm import PRUNES
from diet_core.experiments.arm import Arm as Arm
from diet_core.experiments.arm import arm_from_json as arm_from_json
from diet_core.experiments.arm import arm_to_json as arm_to_json
from diet_core.rule import Rule

SELECTED: Final = "selected"


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
    same_name = [other for other in randoms if other.like == arm.name]
    same_share = [
        other for other in randoms if shapes[arm.name] and shapes[str(other.like)] == shapes[arm.name]
    ]
    n = None if arm.is_dynamic else n_train(arm)
    same_size = [other for other in randoms if n is not None and n_train(other) == n]
    return next(iter([*same_name, *same_share, *same_size]), None)


def _shape(arm: Arm) -> tuple[Decimal, bool] | None:
    """Return the share that an arm selects and whether within each class; None where no share says it."""
    share = None if arm.rule is None else share_kept(arm.rule)
    return None if arm.rule is None or share is None else (share, arm.rule.per_class)
