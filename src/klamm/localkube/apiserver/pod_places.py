"""Which container of a pod a stream is for; pods that no node has yet are refused."""

from klamm.localkube.apiserver import statuses
from klamm.localkube.objects import Object


def placed(pod: Object) -> Object:
    if not pod["spec"].get("nodeName"):
        raise statuses.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
    return pod


def container_of(pod: Object, wanted: str | None) -> tuple[str, str, str]:
    """(namespace, pod, container) of a stream into a container."""
    container = name_of(pod, wanted)
    metadata = placed(pod)["metadata"]
    return metadata["namespace"], metadata["name"], container


def name_of(pod: Object, wanted: str | None) -> str:
    """The container that is meant; Refused 400 when it must be named."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    main = [str(each["name"]) for each in spec.get("containers") or ()]
    every = [str(each["name"]) for each in spec.get("initContainers") or ()] + main
    if wanted:
        if wanted not in every:
            raise statuses.bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(main) != 1:
        choice = f", choose one of: [{' '.join(every)}]" if main else ""
        raise statuses.bad_request(f"a container name must be specified for pod {name}{choice}")
    return main[0]
