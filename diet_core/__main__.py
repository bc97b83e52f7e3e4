"""`python -m diet_core VERB …`."""

import sys

from diet_core.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
