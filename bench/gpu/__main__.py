"""`make gpu`: checks that torch and transformers are there before anything is imported from them."""

import importlib.util
import os
import sys

MISSING = [name for name in ("torch", "transformers", "numpy") if importlib.util.find_spec(name) is None]
if MISSING:
    sys.exit(f"{sys.executable} has no {' and no '.join(MISSING)}. Give another one: make gpu PYTHON=PATH")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")  # on several cards the Trainer would split its batches

from bench.gpu.run import main  # noqa: E402

sys.exit(main())
