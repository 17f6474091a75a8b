"""Expressions that several groups share."""

from klamm.monitoring.alerts import Alert, Pace

SPACE_LEFT = 15
"""Per cent of a volume."""
OF_SETS = "(.+)-[0-9]+"
OF_DEPLOYMENTS = "(.+)-[^-]+-[^-]+"
"""Names of pods, by what they belong to, which is the group."""


def running_out_of_space(name: str, component: str, what: str, pace: Pace) -> Alert:
    """A claim is called data-<volume>-<pod>, or data-<pod>; its pod's container says whose it is.

    Only the kubelet is asked: a cluster without metricsConfig fills its volumes, too.
    """
    by_pod = (
        "label_replace(100 * kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes,"
        ' "pod", "$2", "persistentvolumeclaim", "data(-[0-9]+)?-(.+)")'
    )
    # A full volume may be why it does not run: it counts for a while after it was seen.
    pods = f'count_over_time(container_last_seen{{container="{component}"}}[{pace.settled}])'
    return Alert(
        name,
        f"({by_pod} < {SPACE_LEFT})\nand on (namespace, pod) {pods}",
        pace.moment,
        "warning",
        f"{what}'s volume is nearly full",
        "{{ $labels.persistentvolumeclaim }} in {{ $labels.namespace }} has only {{ printf `%.1f` $value }} % left.",
        "Enlarge the volume in the Kafka resource's storage, or let topics keep less (retention.ms, retention.bytes)."
        if component == "kafka"
        else "Enlarge the volume in the Kafka resource's storage.",
    )


def containers_down(name: str, container: str, pods: str, what: str, mend: str, pace: Pace) -> Alert:
    """A cluster had such containers and has none now, although its Kafka resource wants them. `pods`: a pattern of
    their pods' names, whose first group is what the operator says they belong to.

    So neither a cluster that comes up for the first time is an alert, nor one that was deleted, nor an operator that
    was taken out of the spec. While no cluster operator runs, what it said last counts: nothing was taken away by it
    since. Where its pods of that time differ, the one that wants none is believed: a deleted cluster must not alarm.
    """
    seen = f'container_last_seen{{container="{container}"}}'
    # 1: it is there; 0: it was. The largest of several is of the one that was seen last.
    is_there = f"({seen} > bool time() - {pace.seen}) or 0 * count_over_time({seen}[{pace.memory}])"
    of_workload = f'max by (namespace, workload) (label_replace({is_there}, "workload", "$1", "pod", "{pods}"))'
    now = f'klamm_wanted{{component="{container}"}}'
    of_each_pod = f"last_over_time({now}[{pace.memory}])"
    of_all_pods = f"min by (namespace, exported_namespace, cluster, workload) ({of_each_pod})"
    said_last = f'({of_all_pods} unless on (namespace) strimzi_resources{{kind="Kafka"}})'
    where = f'label_replace({now} or {said_last}, "namespace", "$1", "exported_namespace", "(.+)")'
    wanted = f"(max by (namespace, cluster, workload) ({where}) > 0)"
    return Alert(
        name,
        f"max by (namespace, cluster) (\n  {of_workload}\n  * on (namespace, workload) group_left (cluster) {wanted}\n)"
        " == 0",
        pace.while_,
        "major",
        f"No {what} runs",
        f"Kafka {{{{ $labels.cluster }}}} in {{{{ $labels.namespace }}}} wants a {what}, and there is none any more.",
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
