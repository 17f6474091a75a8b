"""What the user operator counts: names as Strimzi's dashboards know them, and when users' certificates end."""

from collections.abc import Callable, Iterable
from datetime import datetime

from klamm.base.metrics import Family, Metrics, gauge
from klamm.control.measures import PassMeasures, selector_text
from klamm.control.resource_info import info, told, watch_states
from klamm.kube.kinds import Name
from klamm.kube.requests import Labels
from klamm.resources.custom.user import KafkaUser

KIND = "KafkaUser"

INFO = info("kafka_user", "secret", "username")
CERTIFICATE_END = gauge(
    "klamm_user_certificate_expiration_timestamp_seconds",
    "When the certificate of a user ends, in seconds since 1970",
    *("namespace", "user"),
)

FAMILIES: tuple[Family, ...] = (INFO, CERTIFICATE_END)


class UserMeasures:
    """`labels` select the cluster's users in `namespace`, which are `users()`."""

    def __init__(
        self, metrics: Metrics, namespace: str, labels: Labels, users: Callable[[], Iterable[KafkaUser]]
    ) -> None:
        self._metrics = metrics
        self.passes = PassMeasures(metrics, KIND, [namespace], selector_text(labels))
        self.passes.watch_resources(users)
        watch_states(metrics, KIND, users)
        metrics.ask(INFO, lambda: ((_info(one), 1.0) for one in users()))

    def certificate(self, user: Name, end: datetime | None) -> None:
        """When a user's certificate ends; None: he has none (any more)."""
        self._metrics.forget(CERTIFICATE_END, namespace=user.namespace, user=user.name)
        if end is not None:
            self._metrics.set(CERTIFICATE_END, round(end.timestamp()), namespace=user.namespace, user=user.name)


def _info(user: KafkaUser) -> tuple[str, ...]:
    status = user.status
    secret, username = (status.secret, status.username) if status else (None, None)
    return told(user, status, secret, username)
