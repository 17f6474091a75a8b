"""Images on one machine are names in a table: what happens with a name that the table does not have."""

from collections.abc import Sequence

from klamm.localkube.kubelet.facts import BackOff, Waiting
from klamm.localkube.kubelet.settings import BackOffPolicy

ERROR = "ErrImagePull"
BACK_OFF = "ImagePullBackOff"


def unknown_image(name: str, known: Sequence[str]) -> str:
    listed = ", ".join(sorted(known)) or "none"
    return (
        f'failed to pull image "{name}": images on one machine are names in a table of klamm, nothing is downloaded, '
        f"and the table has no such name. It has: {listed}"
    )


def wait_for_image(message: str, before: BackOff | None, now: float, policy: BackOffPolicy) -> tuple[Waiting, BackOff]:
    """The container's wait after a failed look-up, and the back-off to hand in at the next one.

    As in Kubernetes the first failure shows as ErrImagePull for a moment, later ones as ImagePullBackOff.
    """
    if before is None:
        return Waiting(ERROR, message, now + FIRST_WAIT), BackOff(policy.initial / 2, now)
    back_off = BackOff(min(before.delay * 2, policy.maximum), now)
    return Waiting(BACK_OFF, f"Back-off pulling image: {message}", now + back_off.delay), back_off


FIRST_WAIT = 1.0
