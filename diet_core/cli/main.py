"""Reading the arguments, running a verb, and turning errors into one message and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from diet_core.cli.parser import parser
from diet_core.cli.verbs.output import Answer, note, show
from diet_core.config import Workspace, default_workspace
from diet_core.errors import DietError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 = done; 2 = a mistake of the user's; 1 = a failed run or a bug (with its traceback); 130 = interrupted.

    Args:
        arguments: Without the program's name; None = those of the process.
    """
    try:
        args = parser().parse_args(arguments)
        folder = args.workspace
        args.workspace = default_workspace() if folder is None else Workspace(folder.expanduser().resolve())
        answer: Answer = args.do(args)
    except DietError as error:
        note(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        note("Interrupted. A run that was stopped goes on with --resume RUN.")
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    show(answer, as_json=args.json)
    return answer.exit_code
