"""What passes are counted under: the names, labels and meanings that Strimzi's dashboards were drawn for.

A pass of ours waits for nothing, so a long roll is many passes that end well; Strimzi's is one that lasts. A pass that
was superseded is neither a success nor a failure: the newer one is.
"""

from collections.abc import Callable, Iterable, Sequence

from klamm.base.metrics import Family, Metrics, Rows, counter, gauge, timer
from klamm.control.status import is_paused
from klamm.kube.kinds import Name, Object
from klamm.kube.requests import Labels

_OF_PASSES = ("kind", "namespace", "selector")

BEGUN = counter("strimzi_reconciliations_total", "Passes that began", *_OF_PASSES)
ROUNDS = counter(
    "strimzi_reconciliations_periodical_total", "Rounds in which every resource was looked at again", *_OF_PASSES
)
SUCCESSFUL = counter("strimzi_reconciliations_successful_total", "Passes in which nothing failed", *_OF_PASSES)
FAILED = counter(
    "strimzi_reconciliations_failed_total",
    "Passes in which something failed, or that only the user can help",
    *_OF_PASSES,
)
LOCKED = counter(
    "strimzi_reconciliations_locked_total",
    "Passes that were asked for while one of the same resource was running; it is followed by one more",
    *_OF_PASSES,
)
ENQUEUED = counter(
    "strimzi_reconciliations_already_enqueued_total",
    "Passes that were asked for while the resource was in line already",
    *_OF_PASSES,
)
DURATION = timer("strimzi_reconciliations_duration_seconds", "Length of passes", *_OF_PASSES)
RESOURCES = gauge(
    "strimzi_resources",
    "Resources that this operator looks after; 0 of a kind that klamm only knows the definition of",
    *_OF_PASSES,
)
PAUSED = gauge("strimzi_resources_paused", "Resources of these that are paused", *_OF_PASSES)
OUTCOMES = counter(
    "klamm_passes_total",
    "Passes by their end: done, again (they wait for something), blocked (the user must help), superseded, failed",
    *("kind", "namespace", "outcome"),
)

FAMILIES: tuple[Family, ...] = (
    *(BEGUN, ROUNDS, SUCCESSFUL, FAILED, LOCKED, ENQUEUED, DURATION, RESOURCES, PAUSED),
    OUTCOMES,
)

_COUNTED_FROM_0 = (BEGUN, ROUNDS, SUCCESSFUL, FAILED, LOCKED, ENQUEUED)

_OUTCOMES = ("done", "again", "blocked", "superseded", "failed")

EVERY = "*"
"""Stands for the namespace of an operator that watches all of them, until it has seen a resource."""


class PassMeasures:
    """Counts the passes of one kind. `selector` as it was given: `a=b,c=d`, or nothing."""

    def __init__(self, metrics: Metrics, kind: str, namespaces: Sequence[str] = (), selector: str = "") -> None:
        self._metrics = metrics
        self._kind = kind
        self._selector = selector
        self._namespaces = tuple(namespaces) or (EVERY,)
        self._shown: set[str] = set()
        for namespace in self._namespaces:
            self._show(namespace)

    def begun(self, namespace: str, passes: int = 1) -> None:
        self._show(namespace)
        self._metrics.count(BEGUN, passes, **self._of(namespace))

    def passed(self, name: Name, outcome: str, seconds: float) -> None:
        """`outcome` is done, again, blocked, superseded or failed."""
        self.ended(name.namespace, outcome)
        self.lasted(name.namespace, seconds)

    def ended(self, namespace: str, outcome: str, passes: int = 1) -> None:
        """How passes ended whose length is told otherwise (a batch's)."""
        if outcome != "superseded":
            family = FAILED if outcome in ("failed", "blocked") else SUCCESSFUL
            self._metrics.count(family, passes, **self._of(namespace))
        self._metrics.count(OUTCOMES, passes, kind=self._kind, namespace=namespace, outcome=outcome)

    def lasted(self, namespace: str, seconds: float) -> None:
        self._metrics.observe(DURATION, seconds, **self._of(namespace))

    def overlapped(self, name: Name) -> None:
        """A pass was asked for while one is running."""
        self._metrics.count(LOCKED, **self._of(name.namespace))

    def in_line_already(self, name: Name) -> None:
        self._metrics.count(ENQUEUED, **self._of(name.namespace))

    def round(self, names: Iterable[Name]) -> None:
        """Everything is looked at again."""
        for namespace in {name.namespace for name in names} or set(self._namespaces):
            self._metrics.count(ROUNDS, **self._of(namespace))

    def watch_resources(
        self, resources: Callable[[], Iterable[Object]], leads: Callable[[], bool] = lambda: True
    ) -> None:
        """Count, at each scrape, what is there and what of it is paused, while this process `leads`."""

        def rows(shown: Callable[[Object], bool]) -> Rows:
            return self._by_namespace(filter(shown, resources())) if leads() else ()

        self._metrics.ask(RESOURCES, lambda: rows(lambda _: True))
        self._metrics.ask(PAUSED, lambda: rows(is_paused))

    def _show(self, namespace: str) -> None:
        """Everything at 0: a counter that begins with its first failure has that failure in no rate."""
        if namespace in self._shown:
            return
        self._shown.add(namespace)
        for family in _COUNTED_FROM_0:
            self._metrics.count(family, 0, **self._of(namespace))
        for outcome in _OUTCOMES:
            self._metrics.count(OUTCOMES, 0, kind=self._kind, namespace=namespace, outcome=outcome)
        self._metrics.show(DURATION, **self._of(namespace))

    def _by_namespace(self, resources: Iterable[Object]) -> Rows:
        counts = dict.fromkeys(self._namespaces, 0)
        for one in resources:
            namespace = one.metadata.namespace or ""
            counts[namespace] = counts.get(namespace, 0) + 1
        if len(counts) > 1:
            counts.pop(EVERY, None)
        return [((self._kind, namespace, self._selector), float(count)) for namespace, count in counts.items()]

    def _of(self, namespace: str) -> dict[str, str]:
        return {"kind": self._kind, "namespace": namespace, "selector": self._selector}


def selector_text(labels: Labels) -> str:
    """Labels as they stand in `selector`: `a=b,c=d`."""
    if isinstance(labels, str):
        return labels
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items()))
