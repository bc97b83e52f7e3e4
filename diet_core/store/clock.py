"""The time, as the database keeps it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time in UTC, without saying so."""
    return datetime.now(UTC).replace(tzinfo=None)
