"""Kubernetes' way to write moments (metav1.Time): RFC 3339 in UTC, whole seconds."""

from datetime import UTC, datetime


def timestamp(moment: datetime) -> str:
    """A UTC moment → "2026-01-31T12:00:00Z"."""
    return moment.isoformat(timespec="seconds")[:19] + "Z"


def rfc3339(seconds: float) -> str:
    """Seconds since the epoch → "2026-01-31T12:00:00Z"."""
    return timestamp(datetime.fromtimestamp(int(seconds), UTC))


def parse_timestamp(text: str | None) -> datetime | None:
    """RFC 3339, with or without a fraction of up to nanoseconds; None when there is none."""
    return datetime.fromisoformat(text) if text else None


def seconds_of(text: str) -> float:
    """As `parse_timestamp`, in seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()
