"""Name and labels of the cluster operator's own objects."""

NAME = "strimzi-cluster-operator"
KIND = "cluster-operator"


def labels() -> dict[str, str]:
    """`app: strimzi` is what people select by when they look for everything of an installation."""
    return {"app": "strimzi"}


def pod_labels() -> dict[str, str]:
    """NetworkPolicies of the clusters let the operator in by `strimzi.io/kind`."""
    return {"name": NAME, "strimzi.io/kind": KIND}
