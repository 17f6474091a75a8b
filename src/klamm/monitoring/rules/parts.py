"""Expressions that several groups share."""

from klamm.monitoring.alerts import Alert, Pace

SPACE_LEFT = 15
"""Per cent of a volume."""


def running_out_of_space(name: str, component: str, what: str, pace: Pace) -> Alert:
    """A claim is called data-<volume>-<pod>, or data-<pod>; its pod says whose it is."""
    by_pod = (
        "label_replace(100 * kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes,"
        ' "kubernetes_pod_name", "$2", "persistentvolumeclaim", "data(-[0-9]+)?-(.+)")'
    )
    return Alert(
        name,
        f'({by_pod} < {SPACE_LEFT})\nand on (namespace, kubernetes_pod_name) up{{strimzi_io_name=~".+-{component}"}}',
        pace.moment,
        "warning",
        f"{what}'s volume is nearly full",
        "{{ $labels.persistentvolumeclaim }} in {{ $labels.namespace }} has only {{ printf `%.1f` $value }} % left.",
        "Enlarge the volume in the Kafka resource's storage, or let topics keep less (retention.ms, retention.bytes)."
        if component == "kafka"
        else "Enlarge the volume in the Kafka resource's storage.",
    )


def containers_down(name: str, container: str, what: str, mend: str, pace: Pace) -> Alert:
    """A namespace had such containers and has none now, unless the operator says that it has no Kafka resource either.

    So a namespace that never had one is no alert, and neither is a cluster that was deleted.
    """
    seen = f'container_last_seen{{container="{container}"}}'
    deleted = 'label_replace(strimzi_resources{kind="Kafka"} == 0, "namespace", "$1", "exported_namespace", "(.+)")'
    return Alert(
        name,
        f"count by (namespace) (count_over_time({seen}[{pace.memory}]))\n"
        f"unless on (namespace) ({seen} > time() - {pace.seen})\n"
        f"unless on (namespace) {deleted}",
        pace.while_,
        "major",
        f"No {what} runs",
        f"There were containers of a {what} in {{{{ $labels.namespace }}}}, and now there is none.",
        mend,
    )


def restarted(name: str, pods: str, container: str, what: str, pace: Pace) -> Alert:
    """More than two containers of one pod in the window: one restart is what a roll does, two are a broken start."""
    picked = f'container_last_seen{{container="{container}", pod=~"{pods}"}}'
    return Alert(
        name,
        f"count by (namespace, pod) (count by (namespace, pod, id) (count_over_time({picked}[{pace.window}]))) > 2",
        "0s",
        "warning",
        f"A {what} restarts again and again",
        "{{ $labels.pod }} in {{ $labels.namespace }} has had {{ $value }} containers within five minutes.",
        "Look why the one before ended: kubectl logs --previous, and kubectl describe pod for its last state.",
    )
