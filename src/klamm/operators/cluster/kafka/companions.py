"""What stands beside brokers as a Deployment, if the resource asks for it: the entity operator, the exporter.

Whether one that is not wanted any more is left over is read off its Secret, since every pass knows all Secrets anyway:
who has a Secret of ours was wanted once. So a Secret goes last, and a pass that is cut short is taken up by the
next one; a cluster without companions costs no calls.
"""

from klamm.operators.cluster.kafka.gather import Observed
from klamm.resources.native.workloads import Deployment


def is_left(observed: Observed, secret: str) -> bool:
    """Owned by this very resource, and not a Secret of that name that somebody else keeps."""
    found, uid = observed.secrets.get(secret), observed.resource.metadata.uid
    return found is not None and any(owner.uid == uid for owner in found.metadata.owner_references)


def has_rolled_out(found: Deployment | None) -> bool:
    """It has done what it was told last: its one pod is the new one, ready, and no older one is there beside it."""
    status = found.status if found else None
    if found is None or status is None or status.observed_generation != found.metadata.generation:
        return False
    return (status.replicas, status.updated_replicas, status.ready_replicas) == (1, 1, 1)
