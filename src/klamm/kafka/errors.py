"""What can go wrong between us and a Kafka cluster, sorted by what the caller does next.

    KafkaFailure
    ├── Unreachable        no broker answers, or it answered too late: back off and try again
    ├── NotNow             the cluster is busy (no controller, a leader moving): back off and try again
    ├── Denied             our own certificate may not do this                  (transient: mended from outside)
    └── Refused            the request as it stands will never do: the user must change something
        ├── TopicExists
        ├── UnknownTopic
        ├── SecurityDisabled   ACLs were asked of a cluster without authorizer
        └── TooOld             a broker does not know this request, or not in the version that is needed

Errors of the library are translated at the door (`answers.py`) and carry what was being done. This file needs no
library, so that whoever only catches failures does not pay for one.
"""

from klamm.base import faults


class KafkaFailure(Exception):
    """`doing` says what was being done to what, `message` is Kafka's own sentence.

    `code` is the name of the protocol's error code ("INVALID_CONFIG"), "" when no broker gave one.
    """

    def __init__(self, doing: str, message: str, code: str = "") -> None:
        super().__init__(f"{doing}: {message}")
        self.doing = doing
        self.message = message
        self.code = code


class Unreachable(KafkaFailure, faults.Transient):
    pass


class NotNow(KafkaFailure, faults.Transient):
    pass


class Denied(KafkaFailure, faults.Transient):
    pass


class Refused(KafkaFailure, faults.Invalid):
    pass


class TopicExists(Refused):
    pass


class UnknownTopic(Refused):
    pass


class SecurityDisabled(Refused):
    pass


class TooOld(Refused):
    pass
