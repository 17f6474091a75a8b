"""Numbers that grow or change, in Prometheus' text form.

What there is to count is declared once, as constants of the module that counts; docs/reference lists them:

    PASSES = counter("strimzi_reconciliations_total", "Passes that began", "kind", "namespace")
    LENGTH = timer("strimzi_reconciliations_duration_seconds", "Length of passes", "kind", "namespace")

    metrics = Metrics(clock.monotonic)
    metrics.count(PASSES, kind="Kafka", namespace="kafka")
    metrics.observe(LENGTH, 0.25, kind="Kafka", namespace="kafka")
    metrics.ask(RESOURCES, lambda: [(("Kafka", "kafka"), len(kafkas.all()))])   # at each scrape
    metrics.text()

Names, labels and shapes are those of Micrometer, since dashboards were drawn for its users: a timer is a histogram of a
few wide buckets with a gauge `<name>_max` beside it, which holds the largest value of the last minutes and not of all
time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

Type = Literal["counter", "gauge", "histogram", "summary"]
Values = tuple[str, ...]
Rows = Iterable[tuple[Values, float]]

BUCKETS = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds: what Strimzi's timers have."""

WINDOW = 60.0
"""Seconds; `_max` holds the largest value of this window and of the one before."""


@dataclass(frozen=True, slots=True)
class Family:
    """All series of one name. `labels` in the order in which they are written."""

    name: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()


def counter(name: str, help: str, *labels: str) -> Family:
    return Family(name, "counter", help, labels)


def gauge(name: str, help: str, *labels: str) -> Family:
    return Family(name, "gauge", help, labels)


def timer(name: str, help: str, *labels: str) -> Family:
    """Seconds, in buckets, and the largest of the last minutes."""
    return Family(name, "histogram", help, labels)


def summary(name: str, help: str, *labels: str) -> Family:
    """A sum and a count, for what has so many series that buckets would be too many."""
    return Family(name, "summary", help, labels)


@dataclass(slots=True)
class _Times:
    """What was observed under one set of labels."""

    buckets: list[int]
    sum: float = 0.0
    count: int = 0
    window: float = 0.0
    largest: float = 0.0
    """Of this window."""
    before: float = 0.0
    """Of the window before."""

    def move_to(self, window: float) -> None:
        if window > self.window:
            self.before = self.largest if window == self.window + 1 else 0.0
            self.window, self.largest = window, 0.0


@dataclass(slots=True)
class _Kept:
    family: Family
    values: dict[Values, float] = field(default_factory=dict)
    times: dict[Values, _Times] = field(default_factory=dict)
    asked: list[Callable[[], Rows]] = field(default_factory=list)


class Metrics:
    """`now`: seconds of a clock that never goes back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: dict[str, _Kept] = {}

    def count(self, family: Family, by: float = 1.0, /, **labels: str) -> None:
        """Add to a counter; adding 0 shows it from now on."""
        values, key = self._of(family).values, _key(family, labels)
        values[key] = values.get(key, 0.0) + by

    def set(self, family: Family, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        self._of(family).values[_key(family, labels)] = value

    def observe(self, family: Family, value: float, /, **labels: str) -> None:
        """Note one value of a timer or summary."""
        times = self._times(family, labels)
        times.move_to(self._window)
        times.sum += value
        times.count += 1
        times.largest = max(times.largest, value)
        for index, bound in enumerate(BUCKETS):
            times.buckets[index] += value <= bound

    def show(self, family: Family, /, **labels: str) -> None:
        """Show a timer before anything was observed: a dashboard's rate needs to see it begin at 0."""
        self._times(family, labels)

    @contextmanager
    def timing(self, family: Family, /, **labels: str) -> Iterator[None]:
        """Note how long the block takes, however it ends."""
        began = self._now()
        try:
            yield
        finally:
            self.observe(family, self._now() - began, **labels)

    def ask(self, family: Family, rows: Callable[[], Rows]) -> None:
        """Series that are asked for at each scrape: values of the labels, in their order, and the number."""
        self._of(family).asked.append(rows)

    def forget(self, family: Family, /, **labels: str) -> None:
        """Drop the series that have these values, whatever their other labels are: their thing is gone."""
        kept = self._of(family)
        wanted = [(family.labels.index(name), value) for name, value in labels.items()]
        for series in (kept.values, kept.times):
            gone = [key for key in series if all(key[index] == value for index, value in wanted)]
            for key in gone:
                del series[key]

    def text(self) -> str:
        """All of it, in the order of names."""
        lines: list[str] = []
        for _, kept in sorted(self._kept.items()):
            lines += self._written(kept)
        return "\n".join(lines) + "\n" if lines else ""

    @property
    def _window(self) -> float:
        return self._now() // WINDOW

    def _of(self, family: Family) -> _Kept:
        kept = self._kept.get(family.name)
        if kept is None:
            kept = self._kept[family.name] = _Kept(family)
        return kept

    def _times(self, family: Family, labels: Mapping[str, str]) -> _Times:
        times, key = self._of(family).times, _key(family, labels)
        if key not in times:
            times[key] = _Times([0] * len(BUCKETS), window=self._window)
        return times[key]

    def _written(self, kept: _Kept) -> Iterator[str]:
        family = kept.family
        yield from _head(family.name, family.type, family.help)
        if family.type in ("histogram", "summary"):
            yield from self._written_times(kept)
            return
        values = dict(kept.values)
        for rows in kept.asked:
            values.update(rows())
        names = family.labels
        yield from (f"{family.name}{_braced(names, key)} {_number(value)}" for key, value in sorted(values.items()))

    def _written_times(self, kept: _Kept) -> Iterator[str]:
        name, names = kept.family.name, kept.family.labels
        ordered = sorted(kept.times.items())
        for key, times in ordered:
            if kept.family.type == "histogram":
                for bound, count in zip((*map(_number, BUCKETS), "+Inf"), (*times.buckets, times.count), strict=True):
                    yield f"{name}_bucket{_braced((*names, 'le'), (*key, bound))} {count}"
            yield f"{name}_count{_braced(names, key)} {times.count}"
            yield f"{name}_sum{_braced(names, key)} {_number(times.sum)}"
        if kept.family.type == "histogram":
            yield from _head(f"{name}_max", "gauge", f"{kept.family.help}: the longest of the last minutes")
            for key, times in ordered:
                times.move_to(self._window)
                yield f"{name}_max{_braced(names, key)} {_number(max(times.largest, times.before))}"


def _head(name: str, type: str, help: str) -> Iterator[str]:
    yield f"# HELP {name} {help.replace(chr(92), chr(92) * 2).replace(chr(10), chr(92) + 'n')}"
    yield f"# TYPE {name} {type}"


def _key(family: Family, labels: Mapping[str, str]) -> Values:
    if labels.keys() != set(family.labels):
        raise TypeError(f"{family.name} has the labels {', '.join(family.labels)}, not {', '.join(labels)}")
    return tuple(labels[name] for name in family.labels)


def _number(value: float) -> str:
    """Whole numbers in full: milliseconds since 1970 in six digits would be a month off."""
    return str(int(value)) if value == int(value) else repr(float(value))


def _braced(names: tuple[str, ...], values: Values) -> str:
    if not names:
        return ""
    pairs = ",".join(f'{name}="{escaped(value)}"' for name, value in zip(names, values, strict=True))
    return "{" + pairs + "}"


def escaped(text: str) -> str:
    """As it stands between the quotes of a label's value."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
