"""What a pass over KafkaTopics works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from klamm.kube.watching import Watched
from klamm.operators.topic.admin import TopicAdmin
from klamm.operators.topic.ending import Ending
from klamm.operators.topic.finalizers import Finalizers
from klamm.operators.topic.holders import Holders
from klamm.operators.topic.ledger import Ledger
from klamm.operators.topic.report import Reporter
from klamm.resources.custom.topic import KafkaTopic


@dataclass(frozen=True)
class Hands:
    """`admin` gives the open connection, waiting for it as long as it takes."""

    topics: Watched[KafkaTopic]
    admin: Callable[[], Awaitable[TopicAdmin]]
    ledger: Ledger
    holders: Holders
    finalizers: Finalizers
    ending: Ending
    reporter: Reporter
