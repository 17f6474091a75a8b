"""One Event in two groups: as core/v1 keeps it and as events.k8s.io/v1 shows it. Source: both API references."""

from klamm.localkube.objects import Object

_FROM_CORE = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_TO_CORE = {new: old for old, new in _FROM_CORE.items()}


def as_events_v1(event: Object) -> Object:
    renamed = {_FROM_CORE.get(name, name): value for name, value in event.items() if value != ""}
    return {**renamed, "apiVersion": "events.k8s.io/v1", "kind": "Event"}


def as_core_event(event: Object) -> Object:
    renamed = {_TO_CORE.get(name, name): value for name, value in event.items()}
    return {**renamed, "apiVersion": "v1", "kind": "Event", "metadata": dict(event["metadata"])}
