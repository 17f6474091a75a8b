"""Text in columns for people, and spans of time in two letters, as kubectl's users are used to."""

from collections.abc import Iterable, Sequence

GAP = "   "


def aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines with every column as wide as its widest cell; the last one is not padded."""
    table = [list(row) for row in rows]
    if not table:
        return []
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    padded = (GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return [line.rstrip() for line in padded]


def span(seconds: float) -> str:
    """45s, 3m20s, 12m, 5h10m, 3d4h, 40d: two units while they matter, as kubectl does it."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    return f"{days}d"


def _two(larger: int, unit: str, smaller: int, small_unit: str) -> str:
    return f"{larger}{unit}{smaller}{small_unit}" if smaller else f"{larger}{unit}"
