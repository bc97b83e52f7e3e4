"""What stays for good is looked through once: collecting garbage holds up whoever waits for a page."""

from __future__ import annotations

import atexit
import gc
import sys

_last = {"modules": 0}
atexit.register(gc.unfreeze)  # else libraries complain at the end of what they think was forgotten


def keep_modules() -> None:
    """Take all that lives now out of the collector's sight, if modules were imported since the last call.

    They are most of what lives. Python looks through all of it every few script runs otherwise, which takes
    50 to 90 ms (docs/decisions.md).
    """
    if len(sys.modules) == _last["modules"]:
        return
    _last["modules"] = len(sys.modules)
    gc.collect()
    gc.freeze()
