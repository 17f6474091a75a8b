"""What the user operator counts: names as Strimzi's dashboards know them."""

from collections.abc import Callable, Iterable

from klamm.base.metrics import Family, Metrics
from klamm.control.measures import PassMeasures, selector_text
from klamm.control.resource_info import info, told, watch_states
from klamm.kube.requests import Labels
from klamm.resources.custom.user import KafkaUser

KIND = "KafkaUser"

INFO = info("kafka_user", "secret", "username")

FAMILIES: tuple[Family, ...] = (INFO,)


def user_measures(
    metrics: Metrics, namespace: str, labels: Labels, users: Callable[[], Iterable[KafkaUser]]
) -> PassMeasures:
    """`labels` select the cluster's users, which are `users()`."""
    passes = PassMeasures(metrics, KIND, [namespace], selector_text(labels))
    passes.watch_resources(users)
    watch_states(metrics, KIND, users)
    metrics.ask(INFO, lambda: ((_info(one), 1.0) for one in users()))
    return passes


def _info(user: KafkaUser) -> tuple[str, ...]:
    status = user.status
    secret, username = (status.secret, status.username) if status else (None, None)
    return told(user, status, secret, username)
