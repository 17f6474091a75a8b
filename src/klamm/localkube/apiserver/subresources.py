"""Subresources and kinds that are questions: scale, binding, eviction, tokens, access and token reviews."""

from collections.abc import Mapping
from typing import Any

from klamm.localkube.apiserver import jsonpath, patches, statuses
from klamm.localkube.apiserver.authentication import ISSUER, Authenticator, Bound, Identity, Tokens
from klamm.localkube.apiserver.cell_texts import labels_text, selector_text
from klamm.localkube.apiserver.deletion import DeleteOptions
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import PODS, SERVICE_ACCOUNTS, Object, Refused, Resource
from klamm.localkube.selectors import InvalidSelector, label_selector
from klamm.localkube.times import rfc3339, timestamp

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
    kind = registry.kind_of(PODS)
    node = (binding.get("target") or {}).get("name", "")
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
    kind = registry.kind_of(PODS)
    pod = registry.view(kind, registry.stored(kind, namespace, name))
    options = delete_options(eviction.get("deleteOptions") or {}, {})
    phase = (pod.get("status") or {}).get("phase")
    budgets = _budgets(registry, namespace, pod) if phase in ("Running", "Pending") else []
    if len(budgets) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise Refused(500, "InternalError", text)
    if budgets and not pod["metadata"].get("deletionTimestamp"):
        _take_disruption(registry, namespace, pod, budgets[0], options.dry_run)
    registry.delete(kind, namespace, name, options)
    return {**success(), "code": 201}


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
        text = (
            f"The disruption budget {name} needs {status.get('desiredHealthy', 0)} healthy pods and has "
            f"{status.get('currentHealthy', 0)} currently"
        )
        cause = {"reason": "DisruptionBudget", "message": text}
        message = "Cannot evict pod as it would violate the pod's disruption budget."
        raise Refused(429, "TooManyRequests", message, {"causes": [cause]})
    if not dry_run:
        now = timestamp(registry.clock.now())
        change = {"status": {"disruptionsAllowed": allowed - 1, "disruptedPods": {pod["metadata"]["name"]: now}}}
        kind = registry.kind("policy", "v1", "poddisruptionbudgets")
        assert kind is not None
        registry.patch(kind, namespace, name, patches.Merge(change), WriteOptions("kube-apiserver", "status"))


def success() -> Object:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def delete_options(body: Mapping[str, Any], query: Mapping[str, str]) -> DeleteOptions:
    """DeleteOptions of the body, or of the query where the body does not say."""
    preconditions = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
    propagation = body.get("propagationPolicy") or query.get("propagationPolicy")
    if propagation is not None and "orphanDependents" in body:
        told = "orphanDependents and deletionPropagation cannot be both set"
        cause = statuses.invalid_value("propagationPolicy", propagation, told)
        raise statuses.invalid("meta.k8s.io", "DeleteOptions", "", [cause])
    if propagation is None and (body.get("orphanDependents") or query.get("orphanDependents") == "true"):
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
    dry_run = bool(body.get("dryRun")) or query.get("dryRun") == "All"
    return DeleteOptions(seconds, propagation, preconditions.get("uid"), preconditions.get("resourceVersion"), dry_run)


# Tokens and reviews

_LONGEST_TOKEN = 2**32
_SHORTEST_TOKEN = 600


def token_request(registry: Registry, tokens: Tokens, namespace: str, name: str, request: Object) -> Object:
    kind = registry.kind_of(SERVICE_ACCOUNTS)
    account = registry.view(kind, registry.stored(kind, namespace, name))
    spec = request.get("spec") or {}
    seconds = int(spec.get("expirationSeconds") or 3600)
    if not _SHORTEST_TOKEN <= seconds <= _LONGEST_TOKEN:
        cause = statuses.invalid_value(
            "spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"
        )
        raise statuses.invalid("authentication.k8s.io", "TokenRequest", name, [cause])
    bound = _bound(registry, namespace, account, spec.get("boundObjectRef") or {})
    token, ends = tokens.issue(bound, spec.get("audiences") or (), seconds)
    expiration = rfc3339(ends)
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**spec, "audiences": spec.get("audiences") or [ISSUER], "expirationSeconds": seconds},
        "status": {"token": token, "expirationTimestamp": expiration},
    }


def _bound(registry: Registry, namespace: str, account: Object, reference: Object) -> Bound:
    metadata = account["metadata"]
    if reference.get("kind") != "Pod":
        return Bound(namespace, metadata["name"], metadata["uid"])
    kind = registry.kind_of(PODS)
    pod = registry.view(kind, registry.stored(kind, namespace, reference.get("name", "")))["metadata"]
    if reference.get("uid") and reference["uid"] != pod["uid"]:
        given, have = reference["uid"], pod["uid"]
        why = f"the UID in the bound object reference ({given}) does not match the UID in record ({have})"
        raise statuses.conflict(PODS, pod["name"], why)
    return Bound(namespace, metadata["name"], metadata["uid"], pod["name"], pod["uid"])


def bound_exists(registry: Registry, bound: Bound) -> bool:
    """Whether a token's account, and its pod, are still the same ones."""
    account = registry.storage.find("/serviceaccounts", bound.namespace, bound.account)
    if account is None or registry.storage.decode(account)["metadata"]["uid"] != bound.account_uid:
        return False
    if not bound.pod:
        return True
    pod = registry.storage.find("/pods", bound.namespace, bound.pod)
    return pod is not None and registry.storage.decode(pod)["metadata"]["uid"] == bound.pod_uid


def review(kind: Kind, body: Object, caller: Identity, authenticator: Authenticator) -> Object:
    """Access reviews say yes (roles are stored, not enforced); token and self reviews tell who somebody is."""
    answer: Object = {"kind": kind.resource.kind, "apiVersion": kind.resource.api_version, "metadata": {}}
    if kind.resource.kind == "SelfSubjectReview":
        return {**answer, "status": {"userInfo": user_info(caller)}}
    answer["spec"] = body.get("spec") or {}
    if kind.resource.kind == "TokenReview":
        found = authenticator.review(str(answer["spec"].get("token", "")))
        if found is None:
            return {**answer, "status": {"user": {}, "error": "the token is not valid"}}
        return {**answer, "status": {"authenticated": True, "user": user_info(found), "audiences": [ISSUER]}}
    if kind.resource.kind == "SelfSubjectRulesReview":
        rules = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
        paths = [{"verbs": ["*"], "nonResourceURLs": ["*"]}]
        return {**answer, "status": {"resourceRules": rules, "nonResourceRules": paths, "incomplete": False}}
    return {**answer, "status": {"allowed": True, "reason": "localkube stores roles and does not enforce them"}}


def user_info(identity: Identity) -> Object:
    info: Object = {"username": identity.user, "groups": list(identity.groups)}
    if identity.uid:
        info["uid"] = identity.uid
    if identity.extra:
        info["extra"] = {name: list(values) for name, values in identity.extra.items()}
    return info
