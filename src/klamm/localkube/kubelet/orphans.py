"""A stand-in for a pod that the API has lost, so that what runs of it is ended in the usual way."""

from klamm.localkube.kubelet.facts import ContainerId
from klamm.localkube.kubelet.runtime import NodeState
from klamm.localkube.objects import Object


def lost_pod(uid: str, state: NodeState) -> Object:
    sandbox = next((sandbox for sandbox in state.sandboxes if sandbox.id == uid), None)
    identities = [ContainerId.parse(container.id) for container in state.containers]
    names = sorted({identity.name for identity in identities if identity is not None and identity.uid == uid})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "uid": uid,
            "namespace": sandbox.namespace if sandbox else "default",
            "name": sandbox.pod if sandbox else uid,
        },
        "spec": {"containers": [{"name": name} for name in names]},
    }
