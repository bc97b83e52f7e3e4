"""The controls of Explore and Prune, scene by scene."""

from __future__ import annotations

from typing import Final

from bench.pages.actions import (
    Scene,
    brush,
    choose,
    click,
    last_page,
    new_word,
    pick,
    press,
    search,
    select_row,
    slide,
    switch,
    write,
)
from bench.synthetic.examples import made_word

_MATRIX: Final = 1  # charts of the page, from the top
# Of the matrix of four classes: those where the prediction is the label, which hold the most examples.
_CELLS: Final = ((0.35, 0.1), (0.53, 0.28), (0.72, 0.45), (0.9, 0.63))

EXPLORE: Final[tuple[Scene, ...]] = (
    {
        "score": choose("Score"),
        "agreement": pick("Disagree", "Agree"),
        "class": choose("Class"),
        "prediction": choose("Prediction"),
    },
    {
        "new words": search(new_word),
        "known words": search(lambda turn: f"{made_word(77)} "),
        "next page of known words": press("Next page"),
    },
    {
        "cell of the matrix": click(_MATRIX, _CELLS),
        "log counts": switch("Log counts"),
        "brush of the histogram": brush(),
    },
    {
        "order": pick("Easiest first", "Most seed-dependent"),
        "next page": press("Next page"),
        "last page": last_page,
        "row": select_row,
    },
    {
        "view: data map": pick("Data map"),
        "brush of the data map": brush(),
        "score of the data map": choose("Score"),
        "class of the data map": choose("Class"),
    },
    {
        "view: two scores": pick("Two scores"),
        "across": choose("X axis"),
        "upwards": choose("Y axis"),
        "brush of two scores": brush(),
    },
    {"view: classes": pick("Classes"), "order of the classes": choose("Order of the classes")},
    {
        "view: checkpoints": pick("Checkpoints"),
        "hardest per cent": slide("Hardest percent"),
        "checkpoints by": pick("GraNd"),
    },
    {"view: seeds": pick("Seeds"), "view: distribution": pick("Distribution")},
)

PRUNE: Final[tuple[Scene, ...]] = (
    {
        "score": choose("Score"),
        "keep": slide("Keep"),
        "keep, by number": write("Keep, percent", lambda turn: f"{40 + 2.5 * turn:g}"),
        "drop hardest": slide("Drop hardest"),
        "decisions": switch("Apply decisions"),
        "per class": switch("Per class"),
        "class at the cut": choose("Class at the cut"),
        "keep per class": slide("Keep"),
    },
    {
        "kind: window": pick("Window"),
        "low end": slide(".*from … to …", 0),
        "high end": slide(".*from … to …", 1),
        "low end, by number": write("From", lambda turn: f"{0.1234 + 0.01 * turn:g}"),
    },
    {
        "kind: random": pick("Random"),
        "share of a draw": slide("Keep"),
        "draw": write("Draw", lambda turn: str(turn + 1)),
    },
    {
        "kind: auto size": pick("Auto size"),
        "fewest right": slide("Predicted right", 0),
        "most right": slide("Predicted right", 1),
        "kind: shares": pick("Shares"),
    },
)

SCENES: Final = {"explore": EXPLORE, "prune": PRUNE}
