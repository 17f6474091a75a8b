"""KafkaUser: a user of a Kafka cluster: credentials, rights and limits."""

from typing import Annotated, ClassVar

import msgspec

from klamm.resources.custom.secrets import SecretValue
from klamm.resources.custom.status import Status
from klamm.resources.custom.template import ResourceTemplate
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.structure import About, Block, Deprecated, Rule, always

OPERATIONS = (
    "Read",
    "Write",
    "Create",
    "Delete",
    "Alter",
    "Describe",
    "ClusterAction",
    "AlterConfigs",
    "DescribeConfigs",
    "IdempotentWrite",
    "All",
)


class Password(Block):
    """A password that the user brings."""

    value_from: Annotated[SecretValue | None, About("Where it stands.", required=True)] = None


class KafkaUserAuthentication(Block):
    """How the user proves who it is."""

    checks: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.type == 'tls' || (!has(self.validityDays) && !has(self.renewalDays))",
            "validityDays and renewalDays are only for the type tls",
            only="v1",
        ),
        Rule(
            "has(self.validityDays) == has(self.renewalDays)",
            "validityDays and renewalDays go together",
            only="v1",
        ),
        Rule(
            "!has(self.validityDays) || !has(self.renewalDays) || self.renewalDays < self.validityDays",
            "renewalDays must be less than validityDays",
            only="v1",
        ),
    )

    password: Annotated[Password | None, About("For scram-sha-512: your password instead of a random one.")] = None
    renewal_days: Annotated[
        int | None,
        About("For tls: days before its end at which the certificate is renewed.", only="v1", minimum=1),
    ] = None
    type: Annotated[
        str | None,
        About("Kind of credentials.", required=True, choices=("tls", "tls-external", "scram-sha-512")),
    ] = None
    validity_days: Annotated[int | None, About("For tls: days the certificate is valid.", only="v1", minimum=1)] = None


class AclResource(Block):
    """What a rule is about."""

    name: Annotated[str | None, About("Its name or prefix; not for cluster.")] = None
    pattern_type: Annotated[
        str | None, About("How the name is meant; literal by default.", choices=("literal", "prefix"))
    ] = None
    type: Annotated[
        str | None,
        About("Kind of resource.", required=True, choices=("topic", "group", "cluster", "transactionalId")),
    ] = None


class AclRule(Block):
    """One rule."""

    host: Annotated[str | None, About("Address the user may come from; any by default.")] = None
    operation: Annotated[
        str | None,
        About(
            "One operation.",
            only="v1beta2",
            choices=OPERATIONS,
            deprecated=Deprecated(mend="write operations: [...]"),
        ),
    ] = None
    operations: Annotated[list[str], About("Operations the rule is about.", choices=OPERATIONS)] = []
    resource: Annotated[AclResource | None, About("What it is about.", required=True)] = None
    type: Annotated[str | None, About("Allow (default) or deny.", choices=("allow", "deny"))] = None


class KafkaUserAuthorization(Block):
    """What the user may do."""

    acls: Annotated[list[AclRule], About("The rules.", required=True)] = []
    type: Annotated[str | None, About("Kind of rules.", required=True, choices=("simple",))] = None


class KafkaUserQuotas(Block):
    """Limits of the user."""

    consumer_byte_rate: Annotated[int | None, About("Bytes a second it may fetch from a broker.", minimum=0)] = None
    controller_mutation_rate: Annotated[
        float | None, About("Partitions it may make or delete a second.", minimum=0)
    ] = None
    producer_byte_rate: Annotated[int | None, About("Bytes a second it may send to a broker.", minimum=0)] = None
    request_percentage: Annotated[
        int | None, About("Share of a broker's request threads it may use, in percent.", minimum=0)
    ] = None


class KafkaUserTemplate(Block):
    """Additions to the user's objects."""

    secret: Annotated[ResourceTemplate | None, About("Secret with the credentials.")] = None


class KafkaUserSpec(Block):
    """What the user should be."""

    authentication: Annotated[KafkaUserAuthentication | None, About("How the user proves who it is.")] = None
    authorization: Annotated[KafkaUserAuthorization | None, About("What the user may do.")] = None
    quotas: Annotated[KafkaUserQuotas | None, About("Limits of the user.")] = None
    template: Annotated[KafkaUserTemplate | None, About("Additions to the objects.")] = None


class KafkaUserStatus(Status):
    """What is known of the user."""

    secret: Annotated[str | None, About("Secret with the credentials.")] = None
    username: Annotated[str | None, About("Name in Kafka.")] = None


class KafkaUser(Block):
    """A user of the cluster that the label strimzi.io/cluster names."""

    api_version: str = always("kafka.strimzi.io/v1beta2")
    kind: str = always("KafkaUser")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[KafkaUserSpec, About("What is wanted.")] = msgspec.field(default_factory=KafkaUserSpec)
    status: Annotated[KafkaUserStatus | None, About("What is the case.")] = None
