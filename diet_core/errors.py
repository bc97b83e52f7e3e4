"""Every error that is meant for the user's eyes.

A message has two sentences at most: what is wrong, with the value and where; what to do.
Pages show it in a box, the command line prints it and exits with `exit_code`. Anything that
is not a `DietError` is a bug and shows its traceback.

    DietError                 2   a mistake that the user can mend
    ├── SettingError          2   a setting outside of its range
    ├── DataError             2   a source that cannot be read as labelled examples
    ├── NotFoundError         2   no data set, run, example or class of that name
    ├── ModelError            2   a model that cannot be loaded or is no text classifier
    ├── RunStateError         2   a run that cannot do this in its present state
    ├── StoreError            2   the database cannot be used
    │   └── StoreLockedError  2   another process holds the database open
    ├── RunFailedError        1   a run that ended in an error
    └── RunCancelledError   130   a run that somebody stopped
"""

from __future__ import annotations


class DietError(Exception):
    """A message for the user: what is wrong and what to do."""

    exit_code = 2


class SettingError(DietError):
    """A setting outside of its range."""


class DataError(DietError):
    """A source that cannot be read as labelled examples."""


class NotFoundError(DietError):
    """No data set, run, example or class of that name."""


class ModelError(DietError):
    """A model that cannot be loaded or is no text classifier."""


class RunStateError(DietError):
    """A run that cannot do this in its present state."""


class StoreError(DietError):
    """The database cannot be used."""


class StoreLockedError(StoreError):
    """Another process holds the database open."""


class RunFailedError(DietError):
    """A run that ended in an error."""

    exit_code = 1


class RunCancelledError(DietError):
    """A run that somebody stopped; it can be resumed."""

    exit_code = 130
