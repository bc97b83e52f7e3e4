"""Rules: which examples a selection keeps, once or again and again while a model trains."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from diet_core.errors import SettingError
from diet_core.json_input import checked_fields
from diet_core.tables import SCORES

# What each kind of rule keeps; the command line and the Prune page say it in these words.
KINDS: Final = {
    "shares": "a share from the hard end of the ranking, less a share of the very hardest",
    "window": "the values of the score from low to high",
    "random": "a share drawn at random, the same for the same seed on every machine",
    "auto": "what is neither always predicted right nor never, over all seeds and checkpoints",
}
# The score that an automatic rule goes by: the share of seeds x checkpoints that predict the label.
AUTO_SCORE: Final = "correctness"


@dataclass(frozen=True)
class Rule:
    """Which examples a selection keeps.

    Shares that a kind has no use for are set to what changes nothing (keep 1, drop_hardest 0), so that
    rules of equal effect are equal; anything else that it has no use for is refused.

    Attributes:
        by: The score that ranks, hardest first, or whose window is kept; always correctness for `auto`,
            of no effect for `random`.
        keep: Share of all training examples kept from the hard end, or drawn at random, in (0, 1].
        drop_hardest: Share of all then removed from the very top, in [0, keep); `shares` only.
        per_class: Apply the shares within each class; `shares` and `random` only.
        kind: One of `KINDS`.
        low: The smallest value that stays, None for no end. `window`: of `by`; `auto`: share of the
            predictions that are right, where None takes out the examples that are never predicted right.
        high: The largest value that stays, None for no end; in `auto` None takes out those that are always
            predicted right.
        seed: Of a random draw, ≥ 0.

    Source:
        Shares: Fayyaz et al. 2022, §4. Auto: after Tayaranian et al. 2024 (docs/decisions.md says where it
        differs).

    >>> Rule(kind="auto").by, Rule(kind="random", keep=0.5).drop_hardest
    ('correctness', 0.0)
    """

    by: str = "el2n"
    keep: float = 0.7
    drop_hardest: float = 0.04
    per_class: bool = False
    kind: str = "shares"
    low: float | None = None
    high: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.by not in SCORES:
            raise SettingError(f"{self.by!r} is not a score. Choose one of: {', '.join(SCORES)}.")
        if self.kind not in KINDS:
            raise SettingError(f"{self.kind!r} is not a kind of rule. Choose one of: {', '.join(KINDS)}.")
        for name, value in _NEUTRAL[self.kind].items():
            object.__setattr__(self, name, value)
        for name in _REFUSED[self.kind]:
            _check_unused(self, name)
        _CHECKS[self.kind](self)

    @property
    def in_words(self) -> str:
        """The rule as a part of a sentence.

        >>> Rule().in_words, Rule(kind="window", high=0.5).in_words
        ('keep 0.7 and drop-hardest 0.04', 'el2n up to 0.5')
        >>> Rule(kind="auto", low=0.5).in_words
        'right in 0.5 of the predictions or more and not always'
        """
        return _WORDS[self.kind](self) + (" within each class" if self.per_class else "")


def has_use_for(kind: str, field: str) -> bool:
    """Return whether a field of `Rule` changes what a rule of this kind keeps.

    >>> has_use_for("window", "low"), has_use_for("window", "keep")
    (True, False)
    """
    is_by_of_random = (kind, field) == ("random", "by")
    return field not in _NEUTRAL[kind] and field not in _REFUSED[kind] and not is_by_of_random


# How the command line calls the fields, where not as they are called here.
OPTIONS: Final = {"drop_hardest": "--drop-hardest", "per_class": "--per-class", "seed": "--draw"}


def option_of(field: str) -> str:
    """Return the command line's option for a field of `Rule`.

    >>> option_of("keep"), option_of("seed")
    ('--keep', '--draw')
    """
    return OPTIONS.get(field, f"--{field}")


def options_of(rule: Rule) -> list[str]:
    """Return the words of a command line that mean this rule, for `retrain`, `select` and `export`.

    >>> " ".join(options_of(Rule(keep=0.6, per_class=True)))
    '--by el2n --keep 0.6 --drop-hardest 0.04 --per-class'
    >>> " ".join(options_of(Rule(kind="random", keep=0.5, seed=3)))
    '--kind random --keep 0.5 --draw 3'
    """
    words = [] if rule.kind == "shares" else ["--kind", rule.kind]
    for field in (f.name for f in dataclasses.fields(rule) if f.name != "kind"):
        value = getattr(rule, field)
        if not has_use_for(rule.kind, field) or value is None or value is False:
            continue
        words += [option_of(field)] if value is True else [option_of(field), _number(value)]
    return words


def _number(value: Any) -> str:
    """Return a value as the shortest text that means exactly it, whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


_NEUTRAL: Final[dict[str, dict[str, Any]]] = {
    "shares": {},
    "window": {"keep": 1.0, "drop_hardest": 0.0},
    "random": {"drop_hardest": 0.0},
    "auto": {"keep": 1.0, "drop_hardest": 0.0, "by": AUTO_SCORE},
}
_REFUSED: Final = {
    "shares": ("low", "high", "seed"),
    "window": ("seed", "per_class"),
    "random": ("low", "high"),
    "auto": ("seed", "per_class"),
}


def _check_unused(rule: Rule, name: str) -> None:
    default = next(field.default for field in dataclasses.fields(rule) if field.name == name)
    if (value := getattr(rule, name)) != default:
        fitting = [kind for kind, refused in _REFUSED.items() if name not in refused]
        raise SettingError(
            f"{name.replace('_', '-')} is {value}, which a rule of kind {rule.kind} has no use for. "
            f"Leave it out, or choose the kind {' or '.join(fitting)}."
        )


def _check_shares(rule: Rule) -> None:
    if not 0 < rule.keep <= 1:
        raise SettingError(f"keep is {rule.keep:g}. Give a share above 0 and at most 1, like 0.7.")
    if not 0 <= rule.drop_hardest < 1:
        raise SettingError(
            f"drop-hardest is {rule.drop_hardest:g}. Give a share from 0 to below 1, like 0.04."
        )
    if rule.drop_hardest >= rule.keep:
        raise SettingError(
            f"drop-hardest ({rule.drop_hardest:g}) takes away all that keep ({rule.keep:g}) selects. "
            "Give a smaller drop-hardest or a larger keep."
        )


def _check_random(rule: Rule) -> None:
    _check_shares(rule)
    if not 0 <= rule.seed < 2**63:
        raise SettingError(f"seed is {rule.seed}. Give a whole number from 0 on.")


def _check_window(rule: Rule) -> None:
    for name in ("low", "high"):
        if (value := getattr(rule, name)) is not None and not math.isfinite(value):
            raise SettingError(f"{name} is {value:g}. Give a number, or leave it out for no end.")
    if rule.low is not None and rule.high is not None and rule.low > rule.high:
        raise SettingError(
            f"low ({rule.low:g}) lies above high ({rule.high:g}), so that nothing is kept. "
            "Give a low that is at most high."
        )


def _check_auto(rule: Rule) -> None:
    for name in ("low", "high"):
        if (value := getattr(rule, name)) is not None and not 0 <= value <= 1:
            raise SettingError(
                f"{name} is {value:g}. Give the share of predictions that are right, from 0 to 1."
            )
    _check_window(rule)


_CHECKS: Final[dict[str, Callable[[Rule], None]]] = {
    "shares": _check_shares,
    "window": _check_window,
    "random": _check_random,
    "auto": _check_auto,
}


def _window_in_words(rule: Rule) -> str:
    ends = [f"from {rule.low:g}" if rule.low is not None else ""]
    ends += [f"up to {rule.high:g}" if rule.high is not None else ""]
    return " ".join([rule.by, *filter(None, ends)]) if any(ends) else f"any {rule.by}"


def _auto_in_words(rule: Rule) -> str:
    low = "at least once" if rule.low is None else f"in {rule.low:g} of the predictions or more"
    high = "not always" if rule.high is None else f"in {rule.high:g} of the predictions or less"
    return f"right {low} and {high}"


_WORDS: Final[dict[str, Callable[[Rule], str]]] = {
    "shares": lambda rule: f"keep {rule.keep:g} and drop-hardest {rule.drop_hardest:g}",
    "window": _window_in_words,
    "random": lambda rule: f"keep {rule.keep:g} at random (draw {rule.seed})",
    "auto": _auto_in_words,
}


def rule_from_json(content: Any, where: str) -> Rule:
    """Return the rule that a JSON object describes, defaults where it is silent.

    Args:
        content: What was read, an object with the fields of `Rule` as `config.to_json` writes them.
        where: The file's name, for messages.

    Raises:
        SettingError: If it is no object, has an unknown key or a value of another type, or is no rule.

    >>> rule_from_json({"kind": "window", "by": "aum", "low": -1}, "r.json").low
    -1
    """
    fields = checked_fields(content, Rule, "a rule", where, '{"by": "el2n", "keep": 0.7}')
    return Rule(**fields)


# What a training step says of its examples without a further forward pass.
DYNAMIC_SCORES: Final = ("el2n", "loss")


@dataclass(frozen=True)
class DynamicPruning:
    """How a training chooses what it goes on with: all examples first, then again and again a selection.

    Attributes:
        by: The score that ranks, hardest first, one of `DYNAMIC_SCORES`, as the training passes themselves
            show it (with dropout).
        keep: Share of all examples kept from the hard end, in (0, 1].
        drop_hardest: Share of all then removed from the very top, in [0, keep).
        every: Optimizer steps from one selection to the next; 50 steps of 32 examples renew the scores of
            1,600 of them.
        warmup: Share of the steps that train on everything first, in [0, 1). What was not seen by then counts
            as hardest, so that it should be an epoch at least where some of the hardest are dropped.
        decay: What a score keeps of its past when its example is seen again, in [0, 1). A fine-tuning sees
            an example a few times only: with a longer memory than 0.5 its first, unreliable scores decide.
        per_class: Apply the shares within each class.

    Source:
        Attendu & Corbeil 2023, who prune a fine-tuning dynamically by EL2N.

    >>> DynamicPruning(keep=0.5).rule.in_words, DynamicPruning(warmup=0.3).warmup_steps(11)
    ('keep 0.5 and drop-hardest 0.04', 4)
    """

    by: str = "el2n"
    keep: float = 0.7
    drop_hardest: float = 0.04
    every: int = 50
    warmup: float = 0.3
    decay: float = 0.5
    per_class: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.by not in DYNAMIC_SCORES:
            raise SettingError(
                f"{self.by!r} is no score that a training step shows. "
                f"Prune dynamically by one of: {', '.join(DYNAMIC_SCORES)}."
            )
        if self.every < 1:
            raise SettingError(f"every is {self.every}. Give a whole number of steps of at least 1.")
        for name in ("warmup", "decay"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingError(f"{name} is {getattr(self, name):g}. Give a share from 0 to below 1.")
        _ = self.rule  # which checks the shares

    @property
    def rule(self) -> Rule:
        """What each selection keeps."""
        return Rule(self.by, self.keep, self.drop_hardest, self.per_class)

    def warmup_steps(self, total: int) -> int:
        """Return how many of all steps train on everything first."""
        return math.ceil(self.warmup * total)
