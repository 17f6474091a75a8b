"""Names that both the cluster operator, which makes the objects, and the topic operator know."""


def ledger_name(cluster: str) -> str:
    """The ConfigMap in which the topic operator notes which topic each KafkaTopic has."""
    return f"{cluster}-entity-topic-operator-topics"
