"""Subresources that are deeds: scale, binding, eviction; the options of a deletion."""

from collections.abc import Mapping
from typing import Any

from klamm.localkube.apiserver import jsonpath, patches, statuses
from klamm.localkube.apiserver.authentication import Bound
from klamm.localkube.apiserver.cell_texts import labels_text, selector_text
from klamm.localkube.apiserver.deletion import DeleteOptions
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import PODS, Object, Refused, Resource
from klamm.localkube.selectors import InvalidSelector, label_selector
from klamm.localkube.times import timestamp

_NATIVE_SCALE = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}


# Scale


def _scale_paths(kind: Kind) -> Mapping[str, str]:
    return kind.scale if kind.custom else _NATIVE_SCALE


def scale_of(kind: Kind, obj: Object) -> Object:
    paths = _scale_paths(kind)
    wanted = next(iter(jsonpath.find(paths["specReplicasPath"], obj)), 0)
    have = next(iter(jsonpath.find(paths["statusReplicasPath"], obj)), 0)
    status: Object = {"replicas": have}
    selector = _scale_selector(kind, obj, paths)
    if selector:
        status["selector"] = selector
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    metadata = {name: obj["metadata"][name] for name in kept if name in obj["metadata"]}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": wanted},
        "status": status,
    }


def _scale_selector(kind: Kind, obj: Object, paths: Mapping[str, str]) -> str:
    if kind.custom:
        path = paths.get("labelSelectorPath")
        return str(next(iter(jsonpath.find(path, obj)), "")) if path else ""
    selector = (obj.get("spec") or {}).get("selector") or {}
    return labels_text(selector) if kind.resource.kind == "ReplicationController" else selector_text(selector)


def write_scale(
    registry: Registry, kind: Kind, namespace: str | None, name: str, scale: Object, options: WriteOptions
) -> Object:
    """Set the replicas that the Scale says; the answer is the new Scale."""
    wanted = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(wanted, int) or wanted < 0:
        cause = statuses.invalid_value("spec.replicas", wanted, "must be greater than or equal to 0")
        raise statuses.invalid("autoscaling", "Scale", name, [cause])
    change: Any = wanted
    for part in reversed(_scale_paths(kind)["specReplicasPath"].strip(".").split(".")):
        change = {part: change}
    version = (scale.get("metadata") or {}).get("resourceVersion")
    if version:
        change = {**change, "metadata": {"resourceVersion": version}}
    written = registry.patch(kind, namespace, name, patches.Merge(change), options)
    return scale_of(kind, written.object)


# Pods


_BINDINGS = Resource("", "v1", "pods/binding", "Binding")


def bind(registry: Registry, namespace: str, name: str, binding: Object, options: WriteOptions) -> Object:
    """Give a pod its node, once."""
    if (binding.get("metadata") or {}).get("name") != name:
        raise statuses.bad_request("name in URL does not match name in Binding object")
    kind = registry.kind_of(PODS)
    node = _target(binding)
    pod = registry.view(kind, registry.stored(kind, namespace, name))
    if pod["spec"].get("nodeName"):
        why = f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
        raise statuses.conflict(_BINDINGS, name, why)
    if pod["metadata"].get("deletionTimestamp"):
        raise statuses.conflict(_BINDINGS, name, f"pod {name} is being deleted, cannot be assigned to a host")
    if not options.dry_run:
        # Nobody owns what a binding writes.
        bound = _bound_to(pod, node, timestamp(registry.clock.now()))
        registry.storage.put(kind.storage_key, namespace, name, bound)
    return success()


def _target(binding: Object) -> str:
    target = binding.get("target") or {}
    wrong = []
    if target.get("kind") not in (None, "", "Node"):
        wrong.append(statuses.unsupported("target.kind", target["kind"], ("Node", "<empty>")))
    if not target.get("name"):
        wrong.append(statuses.required("target.name"))
    if wrong:
        raise statuses.bad_request(f"{wrong[0].field}: {wrong[0].message}")
    return str(target["name"])


def _bound_to(pod: Object, node: str, now: str) -> Object:
    status = pod.get("status") or {}
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    others = [each for each in status.get("conditions") or () if each["type"] != "PodScheduled"]
    return {
        **pod,
        "metadata": dict(pod["metadata"]),
        "spec": {**pod["spec"], "nodeName": node},
        "status": {**status, "conditions": [*others, scheduled]},
    }


def evict(registry: Registry, namespace: str, name: str, eviction: Object) -> Object:
    """Delete the pod unless a disruption budget forbids it now: 429."""
    if (eviction.get("metadata") or {}).get("name", name) != name:
        raise statuses.bad_request("name in URL does not match name in Eviction object")
    kind = registry.kind_of(PODS)
    pod = registry.view(kind, registry.stored(kind, namespace, name))
    options = delete_options(eviction.get("deleteOptions") or {})
    phase = (pod.get("status") or {}).get("phase")
    budgets = _budgets(registry, namespace, pod) if phase in ("Running", "Pending") else []
    if len(budgets) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise Refused(500, "", text)
    if budgets and not pod["metadata"].get("deletionTimestamp"):
        _take_disruption(registry, namespace, pod, budgets[0], options.dry_run)
    if not options.dry_run:
        _tell_of_eviction(registry, kind, pod)
    registry.delete(kind, namespace, name, options)
    return {**success(), "code": 201}


def _tell_of_eviction(registry: Registry, kind: Kind, pod: Object) -> None:
    """By which controllers and people tell it from a failure."""
    others = [each for each in (pod.get("status") or {}).get("conditions") or () if each["type"] != _EVICTED["type"]]
    told = {**_EVICTED, "lastTransitionTime": timestamp(registry.clock.now())}
    metadata, change = pod["metadata"], patches.Merge({"status": {"conditions": [*others, told]}})
    registry.patch(kind, metadata["namespace"], metadata["name"], change, WriteOptions(subresource="eviction"))


_EVICTED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}


def _budgets(registry: Registry, namespace: str, pod: Object) -> list[Object]:
    labels = pod["metadata"].get("labels") or {}
    stored = registry.storage.all("policy/poddisruptionbudgets", namespace)
    budgets = [registry.storage.decode(each) for each in stored]
    return [each for each in budgets if _selects((each.get("spec") or {}).get("selector"), labels)]


def _selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """A budget whose selector cannot be read guards nothing: it must not hold every eviction of the namespace up."""
    try:
        return label_selector(selector)(labels)
    except InvalidSelector:
        return False


def _take_disruption(registry: Registry, namespace: str, pod: Object, budget: Object, dry_run: bool) -> None:
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    ready = any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in (pod.get("status") or {}).get("conditions") or ()
    )
    if not ready and status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0:
        return
    observed = status.get("observedGeneration", 0) >= budget["metadata"].get("generation", 0)
    allowed = status.get("disruptionsAllowed", 0) if observed else 0
    if allowed < 1:
        needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        text = f"The disruption budget {name} needs {needs} healthy pods and has {has} currently"
        again: Object = {}
        if not observed:
            text, again = (
                f"The disruption budget {name} is still being processed by the server.",
                {"retryAfterSeconds": 10},
            )
        cause = {"reason": "DisruptionBudget", "message": text}
        message = "Cannot evict pod as it would violate the pod's disruption budget."
        raise Refused(429, "TooManyRequests", message, {"causes": [cause], **again})
    if not dry_run:
        now = timestamp(registry.clock.now())
        others = [each for each in status.get("conditions") or () if each["type"] != "DisruptionAllowed"]
        left = {
            "disruptionsAllowed": allowed - 1,
            "disruptedPods": {pod["metadata"]["name"]: now},
            "conditions": [*others, _disruption_condition(budget, allowed > 1, now)],
        }
        change = {"status": left}
        kind = registry.kind("policy", "v1", "poddisruptionbudgets")
        assert kind is not None
        registry.patch(kind, namespace, name, patches.Merge(change), WriteOptions("kube-apiserver", "status"))


def _disruption_condition(budget: Object, allowed: bool, now: str) -> Object:
    return {
        "type": "DisruptionAllowed",
        "status": str(allowed),
        "reason": "SufficientPods" if allowed else "InsufficientPods",
        "message": "",
        "lastTransitionTime": now,
        "observedGeneration": (budget.get("status") or {}).get("observedGeneration", 0),
    }


def success() -> Object:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def delete_options(body: Mapping[str, Any]) -> DeleteOptions:
    if body.get("kind", "DeleteOptions") != "DeleteOptions":
        raise statuses.bad_request(f"the body of a deletion must be DeleteOptions, not {body['kind']}")
    preconditions = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds")
    propagation = body.get("propagationPolicy")
    if propagation is not None and body.get("orphanDependents") is not None:
        told = "orphanDependents and deletionPropagation cannot be both set"
        cause = statuses.invalid_value("propagationPolicy", propagation, told)
        raise statuses.invalid("meta.k8s.io", "DeleteOptions", "", [cause])
    if propagation is None and body.get("orphanDependents"):
        propagation = "Orphan"
    if propagation not in (None, "Background", "Foreground", "Orphan"):
        cause = statuses.unsupported("propagationPolicy", propagation, ("Foreground", "Background", "Orphan", "nil"))
        raise statuses.invalid("meta.k8s.io", "DeleteOptions", "", [cause])
    try:
        seconds = None if grace is None else int(grace)
    except (TypeError, ValueError) as error:
        raise statuses.bad_request(statuses.no_number(grace)) from error
    wrong = [each for each in body.get("dryRun") or () if each != "All"]
    if wrong:
        cause = statuses.unsupported("dryRun", body["dryRun"], ["All"])
        raise statuses.invalid("meta.k8s.io", "DeleteOptions", "", [cause])
    return DeleteOptions(
        seconds,
        propagation,
        preconditions.get("uid"),
        preconditions.get("resourceVersion"),
        dry_run=bool(body.get("dryRun")),
    )


def bound_exists(registry: Registry, bound: Bound) -> bool:
    """Whether a token's account, and its pod, are still the same ones."""
    account = registry.storage.find("/serviceaccounts", bound.namespace, bound.account)
    if account is None or registry.storage.decode(account)["metadata"]["uid"] != bound.account_uid:
        return False
    if not bound.pod:
        return True
    pod = registry.storage.find("/pods", bound.namespace, bound.pod)
    return pod is not None and registry.storage.decode(pod)["metadata"]["uid"] == bound.pod_uid
