"""Users that a KafkaUser manages: what is changed past it is set back by its operator.

A KafkaUser called anna owns all that Kafka has of `anna` and of `CN=anna`: the SCRAM credential, the ACLs, the limits
of the user alone (not those of a user together with a client). Limits are changed through the resource, as topics are.
Rules and passwords have a form of their own there: such a change is refused, unless whoever asks says that it is to be
made all the same. A paused resource sets nothing back before its pause ends: there it is made, and that is said.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from klamm.console.api.managing import Done
from klamm.console.api.operator import kafka_of
from klamm.console.kubernetes.joining import resource_of_user
from klamm.console.kubernetes.seen import USERS, User
from klamm.console.kubernetes.watching import Kubernetes
from klamm.console.problems import Problem
from klamm.console.routes import Call
from klamm.control.status import is_paused
from klamm.kube.errors import KubeError
from klamm.kube.kinds import name_of
from klamm.planning.users import principal

_NAMED = 3

_LIMITS = {
    "producer_byte_rate": "producerByteRate",
    "consumer_byte_rate": "consumerByteRate",
    "request_percentage": "requestPercentage",
    "controller_mutation_rate": "controllerMutationRate",
}


class Owner:
    """The resource of a user of Kafka."""

    def __init__(self, kubernetes: Kubernetes, user: User) -> None:
        self._kubernetes = kubernetes
        self._user = user
        self._name = name_of(user)

    def __str__(self) -> str:
        return f"KafkaUser {self._name}"

    @property
    def is_paused(self) -> bool:
        return is_paused(self._user)

    def is_called(self, user: str) -> bool:
        """Whether Kafka knows it by this name now; of the other one nothing is to be left."""
        asked = self._user.spec.authentication
        return user == principal(self._name.name, asked.type if asked else None).name

    async def limit(self, limits: Mapping[str, float | None]) -> Done:
        """Change just these of its limits; None takes one away."""
        change = {_LIMITS[key]: _plain(value) for key, value in limits.items()}
        # With its uid, so that a successor of the same name is not hit.
        patch = {"metadata": {"uid": self._user.metadata.uid}, "spec": {"quotas": change}}
        try:
            await self._kubernetes.client.patch(USERS, self._name, patch)
        except KubeError as error:
            raise Problem.of_kubernetes(error) from error
        return Done(str(self), f"{self} was changed, and its operator changes the limits")


def _plain(value: float | None) -> float | int | None:
    """Whole numbers as such: the resource takes no others for most limits."""
    return int(value) if value is not None and value == int(value) else value


def owner_of(call: Call[Any, Any], user: str) -> Owner | None:
    """By the user's name in Kafka. None: no resource is called so, or nothing is known of resources."""
    return owners_of(call, [user]).get(user)


def owners_of(call: Call[Any, Any], users: Iterable[str]) -> dict[str, Owner]:
    kubernetes, kafka = call.scene.kubernetes, kafka_of(call.scene.kubernetes, call.place)
    if kubernetes is None or kafka is None:
        return {}
    found = ((one, kubernetes.user_of(kafka, resource_of_user(one))) for one in set(users))
    return {one: Owner(kubernetes, user) for one, user in found if user is not None}


def names_of(owners: Mapping[str, Owner]) -> dict[str, str]:
    return {one: str(owner) for one, owner in sorted(owners.items())}


def refuse(owners: Mapping[str, Owner], *, anyway: bool, where: str) -> None:
    """Raises a Problem where a resource would set the change back. `where`: how to do it there, behind "Change it"."""
    ruling = {user: owner for user, owner in owners.items() if not owner.is_paused}
    if anyway or not ruling:
        return
    told = [f"{owner} manages {user}" for user, owner in sorted(ruling.items())]
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    raise Problem(
        409,
        "Managed",
        f"{', '.join(told[:_NAMED])}{more}: the operator sets back what is changed past it. Change it {where}. "
        "A second word (anyway) has it done all the same",
    )


def past(owners: Mapping[str, Owner]) -> Done | None:
    """What is said of a change that went past resources, if there are some."""
    told = [
        f"{owner} is paused; after the pause it is set back to what that says"
        if owner.is_paused
        else f"{owner} manages {user}, and its operator will set it back"
        for user, owner in sorted(owners.items())
    ]
    return Done(None, "; ".join(told[:_NAMED])) if told else None
