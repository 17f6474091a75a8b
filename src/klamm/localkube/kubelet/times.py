"""Kubernetes' way to write moments: RFC 3339 in UTC, whole seconds."""

from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """Seconds since the epoch → "2026-01-31T12:00:00Z"."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str) -> float:
    """RFC 3339, with or without a fraction of up to nanoseconds → seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()
