"""PodDisruptionBudgets: how many pods a drain of Kubernetes nodes may take at a time."""

from klamm.desired.labels import Component
from klamm.desired.templates import metadata
from klamm.resources.custom.template import PodDisruptionBudgetTemplate
from klamm.resources.native.metadata import LabelSelector, OwnerReference
from klamm.resources.native.workloads import PodDisruptionBudget, PodDisruptionBudgetSpec


def budget(
    component: Component,
    namespace: str,
    owner: OwnerReference,
    replicas: int,
    template: PodDisruptionBudgetTemplate | None,
) -> PodDisruptionBudget:
    """Written as minAvailable: pods of a StrimziPodSet have no scale that maxUnavailable could refer to."""
    given = template.max_unavailable if template else None
    spared = 1 if given is None else given
    return PodDisruptionBudget(
        metadata=metadata(component, component.name, namespace, owner, template),
        spec=PodDisruptionBudgetSpec(
            min_available=max(0, replicas - spared),
            selector=LabelSelector(match_labels=component.selector()),
        ),
    )
