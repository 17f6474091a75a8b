"""The Secret of a user's credentials: its name, labels and owner; when it is ours to write, and when it must be."""

from base64 import b64encode
from collections.abc import Mapping

from klamm.base import faults
from klamm.desired.labels import CLUSTER, KIND, inherited_labels, label_value
from klamm.desired.templates import users as users_labels
from klamm.kube.catalogue import KAFKA_USERS
from klamm.kube.kinds import Name, owner_reference
from klamm.resources.custom.user import KafkaUser
from klamm.resources.native.configuration import Secret
from klamm.resources.native.metadata import ObjectMeta

OF_USER = "KafkaUser"


class NotOurs(faults.Invalid):
    """A Secret of that name is there and belongs to nobody's KafkaUser; overwriting it would destroy a secret."""


def secret_name(user: KafkaUser, prefix: str) -> Name:
    return Name(user.metadata.namespace or "", f"{prefix}{user.metadata.name}")


def user_of(secret: Secret) -> Name | None:
    """The user that owns the Secret; copies that people made have no owner."""
    owner = next((one.name for one in secret.metadata.owner_references if one.kind == OF_USER), None)
    return Name(secret.metadata.namespace or "", owner) if owner else None


def check_ours(secret: Secret | None, name: Name, user: KafkaUser) -> None:
    """`NotOurs` unless the Secret is absent, or labelled as one of a KafkaUser and of no other one."""
    if secret is None:
        return
    owner = user_of(secret)
    if owner is not None and owner.name != user.metadata.name:
        raise NotOurs(f"metadata.name: Secret {name} belongs to KafkaUser {owner.name!r}. Choose another name")
    if owner is None and secret.metadata.labels.get(KIND) != OF_USER:
        raise NotOurs(
            f"metadata.name: there is a Secret {name} that belongs to no KafkaUser, and it is not overwritten. Choose "
            f"another name, or label the Secret {KIND}={OF_USER} to give it away"
        )


def wanted_secret(user: KafkaUser, name: Name, entries: Mapping[str, bytes]) -> Secret:
    template = user.spec.template and user.spec.template.secret and user.spec.template.secret.metadata
    own = user.metadata.name or ""
    labels = {
        **inherited_labels(user.metadata.labels),
        **users_labels(template.labels if template else {}),
        KIND: OF_USER,
        "app.kubernetes.io/name": "strimzi-user-operator",
        "app.kubernetes.io/instance": label_value(own),
        "app.kubernetes.io/part-of": label_value(f"strimzi-{own}"),
        "app.kubernetes.io/managed-by": "strimzi-user-operator",
    }
    if cluster := user.metadata.labels.get(CLUSTER):
        labels[CLUSTER] = cluster
    return Secret(
        metadata=ObjectMeta(
            name=name.name,
            namespace=name.namespace,
            labels=labels,
            annotations=dict(template.annotations) if template else {},
            owner_references=[owner_reference(KAFKA_USERS, user, controller=False)],
        ),
        type="Opaque",
        data={key: b64encode(value).decode("ascii") for key, value in entries.items()},
    )


def stands(stored: Secret | None, wanted: Secret) -> bool:
    """Whether the stored Secret has all that is wanted, and no other entries."""
    if stored is None or stored.data != wanted.data:
        return False
    have, want = stored.metadata, wanted.metadata
    return (
        want.labels.items() <= have.labels.items()
        and want.annotations.items() <= have.annotations.items()
        and {one.uid for one in want.owner_references} <= {one.uid for one in have.owner_references}
    )
