"""What becomes of the encoder in a run, and the words that every list and page says it with."""

from __future__ import annotations

from typing import Final

TUNED: Final = "tuned"
FROZEN: Final = "frozen"
ENCODERS: Final = {
    TUNED: "fine-tuned with its classifier, as in the paper",
    FROZEN: "kept as it is; texts are embedded once and only a linear head is trained (quick look)",
}
QUICK_LOOK: Final = (
    "A quick look: the encoder stayed frozen and only a linear head was trained, where the paper fine-tunes. "
    "Scores of a fine-tuned run may differ."
)


def encoder_tag(encoder: str | None) -> str:
    """Return what marks a run beside its name; nothing where the encoder was fine-tuned, as usual.

    >>> encoder_tag("frozen"), encoder_tag("tuned")
    ('frozen encoder (quick look)', '')
    """
    return "frozen encoder (quick look)" if encoder == FROZEN else ""


def with_tag(name: str | None, encoder: str | None) -> str:
    """Return a name with the tag behind it where there is one.

    >>> with_tag("minilm", "frozen"), with_tag("minilm", "tuned")
    ('minilm, frozen encoder (quick look)', 'minilm')
    """
    return ", ".join(filter(None, (name, encoder_tag(encoder))))
