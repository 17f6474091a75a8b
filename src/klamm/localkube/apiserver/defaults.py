"""What the API server fills in on native objects, kind by kind, so that controllers and people find it there.

Sources: the defaults in Kubernetes' API reference of each kind. Functions change the object in place: it is the
request's own copy. They run on create and on update, and do nothing to what is already said.
"""

from collections.abc import Callable
from typing import Any

from klamm.localkube.apiserver.addresses import reached_from_outside
from klamm.localkube.objects import Object

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"


def apply_defaults(group: str, kind: str, obj: Object) -> None:
    fill = _BY_KIND.get((group, kind))
    if fill is not None:
        fill(obj)


def _set(target: dict[str, Any], **values: Any) -> None:
    for name, value in values.items():
        if target.get(name) in (None, ""):
            target[name] = value


def _spec(obj: Object) -> dict[str, Any]:
    spec: dict[str, Any] = obj.setdefault("spec", {})
    return spec


# Pods


def pod_spec(spec: dict[str, Any]) -> None:
    _set(spec, restartPolicy="Always", terminationGracePeriodSeconds=30, dnsPolicy="ClusterFirst")
    if spec["terminationGracePeriodSeconds"] < 0:
        spec["terminationGracePeriodSeconds"] = 1
    if spec.get("hostNetwork"):
        for container in spec.get("containers") or ():
            for port in container.get("ports") or ():
                _set(port, hostPort=port.get("containerPort"))
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    _set(spec, securityContext={}, schedulerName="default-scheduler")
    for volume in spec.get("volumes") or ():
        _volume(volume)
    for container in (spec.get("containers") or []) + (spec.get("initContainers") or []):
        _container(container)


_VOLUMES: dict[str, dict[str, Any]] = {
    "configMap": {"defaultMode": 420},
    "secret": {"defaultMode": 420},
    "downwardAPI": {"defaultMode": 420},
    "projected": {"defaultMode": 420},
    "hostPath": {"type": ""},
}


def _volume(volume: dict[str, Any]) -> None:
    if len(volume) == 1:
        volume["emptyDir"] = {}
    for name, values in _VOLUMES.items():
        if volume.get(name) is not None:
            _set(volume[name], **values)
    items = list((volume.get("downwardAPI") or {}).get("items") or ())
    for source in (volume.get("projected") or {}).get("sources") or ():
        items += (source.get("downwardAPI") or {}).get("items") or []
        if source.get("serviceAccountToken"):
            _set(source["serviceAccountToken"], expirationSeconds=3600)
    for item in items:
        if item.get("fieldRef"):
            _set(item["fieldRef"], apiVersion="v1")


def _container(container: dict[str, Any]) -> None:
    _set(container, terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File")
    if not container.get("imagePullPolicy"):
        name = str(container.get("image", "")).rsplit("/", 1)[-1]
        latest = "@" not in name and (":" not in name or name.endswith(":latest"))
        container["imagePullPolicy"] = "Always" if latest else "IfNotPresent"
    for port in container.get("ports") or ():
        _set(port, protocol="TCP")
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            _set(reference, apiVersion="v1")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name) is not None:
            _probe(container[name])
    for action in (container.get("lifecycle") or {}).values():
        if isinstance(action, dict) and action.get("httpGet"):
            _set(action["httpGet"], path="/", scheme="HTTP")
    container.setdefault("resources", {})


def _probe(probe: dict[str, Any]) -> None:
    _set(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if probe.get("httpGet"):
        _set(probe["httpGet"], path="/", scheme="HTTP")
    if probe.get("grpc"):
        _set(probe["grpc"], service="")


def pod(obj: Object) -> None:
    spec = _spec(obj)
    pod_spec(spec)
    for container in (spec.get("containers") or []) + (spec.get("initContainers") or []):
        resources = container["resources"]
        if resources.get("limits"):
            resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}
    _set(spec, enableServiceLinks=True)
    status = obj.get("status") or {}
    if status.get("podIP") and not status.get("podIPs"):
        status["podIPs"] = [{"ip": status["podIP"]}]


def pod_admission(obj: Object, account: Object, token_name: Callable[[], str]) -> None:
    """What the admission plug-ins of a usual cluster add to a new pod: account, token volume, tolerations, priority."""
    spec = _spec(obj)
    _set(spec, serviceAccountName="default", serviceAccount=spec.get("serviceAccountName") or "default")
    spec["serviceAccount"] = spec["serviceAccountName"]
    wanted = spec.get("automountServiceAccountToken")
    if (account.get("automountServiceAccountToken") if wanted is None else wanted) is not False:
        _mount_token(spec, token_name)
    if account.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = list(account["imagePullSecrets"])
    tolerate(spec)
    _set(spec, priority=0, preemptionPolicy="PreemptLowerPriority")


def tolerate(spec: dict[str, Any]) -> None:
    """Five minutes on a node that is not ready or gone, unless the pod says otherwise."""
    tolerations = spec.setdefault("tolerations", [])
    for key in (NOT_READY, UNREACHABLE):
        if not any(_tolerates(each, key) for each in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})


def _tolerates(toleration: dict[str, Any], key: str) -> bool:
    return toleration.get("key") in (key, None, "") and toleration.get("effect") in ("NoExecute", None, "")


TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


def _mount_token(spec: dict[str, Any], token_name: Callable[[], str]) -> None:
    containers = (spec.get("containers") or []) + (spec.get("initContainers") or [])
    lacking = [
        each
        for each in containers
        if not any(mount.get("mountPath") == TOKEN_PATH for mount in each.get("volumeMounts") or ())
    ]
    volumes = spec.setdefault("volumes", [])
    if not lacking:
        if not volumes:
            del spec["volumes"]
        return
    name = f"kube-api-access-{token_name()}"
    volumes.append(_token_volume(name))
    for container in lacking:
        mounts = container.setdefault("volumeMounts", [])
        mounts.append({"name": name, "readOnly": True, "mountPath": TOKEN_PATH})


def _token_volume(name: str) -> dict[str, Any]:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 420}}


def qos_class(spec: dict[str, Any]) -> str:
    """Guaranteed: every container has equal cpu and memory limits and requests; BestEffort: none has any."""
    containers = (spec.get("containers") or []) + (spec.get("initContainers") or [])
    resources = [each.get("resources") or {} for each in containers]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    for each in resources:
        limits, requests = each.get("limits") or {}, each.get("requests") or {}
        if {"cpu", "memory"} - limits.keys() or any(
            requests.get(name, limits[name]) != limits[name] for name in limits
        ):
            return "Burstable"
    return "Guaranteed"


# Workloads


def _template(obj: Object) -> None:
    template = _spec(obj).get("template")
    if template is not None:
        pod_spec(template.setdefault("spec", {}))


def deployment(obj: Object) -> None:
    spec = _spec(obj)
    _template(obj)
    _set(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _set(strategy.setdefault("rollingUpdate", {}), maxUnavailable="25%", maxSurge="25%")


def daemon_set(obj: Object) -> None:
    spec = _spec(obj)
    _template(obj)
    strategy = spec.setdefault("updateStrategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _set(strategy.setdefault("rollingUpdate", {}), maxUnavailable=1, maxSurge=0)
    _set(spec, revisionHistoryLimit=10)


def stateful_set(obj: Object) -> None:
    spec = _spec(obj)
    _template(obj)
    _set(spec, replicas=1, podManagementPolicy="OrderedReady", revisionHistoryLimit=10)
    strategy = spec.setdefault("updateStrategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _set(strategy.setdefault("rollingUpdate", {}), partition=0)
    _set(spec.setdefault("persistentVolumeClaimRetentionPolicy", {}), whenDeleted="Retain", whenScaled="Retain")
    for claim in spec.get("volumeClaimTemplates") or ():
        _set(claim, apiVersion="v1", kind="PersistentVolumeClaim")
        persistent_volume_claim(claim)


def replica_set(obj: Object) -> None:
    _template(obj)
    _set(_spec(obj), replicas=1)


def job(obj: Object) -> None:
    spec = _spec(obj)
    _template(obj)
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    _set(spec, parallelism=1, backoffLimit=6, completionMode="NonIndexed", suspend=False, manualSelector=False)
    _set(spec, podReplacementPolicy="TerminatingOrFailed")


def cron_job(obj: Object) -> None:
    spec = _spec(obj)
    _set(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    template = (spec.get("jobTemplate") or {}).get("spec") or {}
    if template.get("template") is not None:
        pod_spec(template["template"].setdefault("spec", {}))


# Network


def service(obj: Object) -> None:
    spec = _spec(obj)
    _set(spec, sessionAffinity="None", type="ClusterIP")
    if spec["sessionAffinity"] == "ClientIP":
        _set(spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {}), timeoutSeconds=10800)
    external = spec["type"] == "ExternalName"
    for port in spec.get("ports") or ():
        _set(port, protocol="TCP")
        if not external or port.get("targetPort") is None:
            _set(port, targetPort=port.get("port"))
    if reached_from_outside(spec):
        _set(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        _set(spec, allocateLoadBalancerNodePorts=True)
    if not external:
        _set(spec, internalTrafficPolicy="Cluster")
    balancer = obj.setdefault("status", {}).setdefault("loadBalancer", {})
    for entry in balancer.get("ingress") or ():
        if entry.get("ip"):
            _set(entry, ipMode="VIP")


def endpoint_slice(obj: Object) -> None:
    for port in obj.get("ports") or ():
        _set(port, protocol="TCP", name="")


def endpoints(obj: Object) -> None:
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            _set(port, protocol="TCP")


def network_policy(obj: Object) -> None:
    spec = _spec(obj)
    for rule in (spec.get("ingress") or []) + (spec.get("egress") or []):
        for port in rule.get("ports") or ():
            _set(port, protocol="TCP")
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


# Storage and the rest


def persistent_volume_claim(obj: Object) -> None:
    _set(_spec(obj), volumeMode="Filesystem")
    _set(obj.setdefault("status", {}), phase="Pending")


def persistent_volume(obj: Object) -> None:
    _set(_spec(obj), persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
    _set(obj.setdefault("status", {}), phase="Pending")
    if _spec(obj).get("hostPath"):
        _set(_spec(obj)["hostPath"], type="")


def storage_class(obj: Object) -> None:
    _set(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def secret(obj: Object) -> None:
    _set(obj, type="Opaque")
    given = obj.pop("stringData", None)
    if given:
        import base64

        encoded = {name: base64.b64encode(value.encode()).decode() for name, value in given.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}


def namespace(obj: Object) -> None:
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"].get("name", "")
    _set(obj.setdefault("status", {}), phase="Active")


def node(obj: Object) -> None:
    status = obj.setdefault("status", {})
    if status.get("capacity") and not status.get("allocatable"):
        status["allocatable"] = dict(status["capacity"])


def role_binding(obj: Object) -> None:
    _set(obj.setdefault("roleRef", {}), apiGroup="rbac.authorization.k8s.io")
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            _set(subject, apiGroup="rbac.authorization.k8s.io")


def custom_resource_definition(obj: Object) -> None:
    spec = _spec(obj)
    names = spec.setdefault("names", {})
    if names.get("kind"):
        _set(names, singular=str(names["kind"]).lower(), listKind=f"{names['kind']}List")
    _set(spec.setdefault("conversion", {}), strategy="None")


def ingress_class(obj: Object) -> None:
    parameters = _spec(obj).get("parameters")
    if parameters is not None:
        _set(parameters, scope="Cluster")


def limit_range(obj: Object) -> None:
    """Limits of containers are also what they get when they say nothing."""
    for item in _spec(obj).get("limits") or ():
        if item.get("type") == "Container":
            default = {**(item.get("max") or {}), **(item.get("default") or {})}
            request = {**default, **(item.get("min") or {}), **(item.get("defaultRequest") or {})}
            if default:
                item["default"] = default
            if request:
                item["defaultRequest"] = request


def autoscaler(obj: Object) -> None:
    _set(_spec(obj), minReplicas=1)


def priority_class(obj: Object) -> None:
    _set(obj, preemptionPolicy="PreemptLowerPriority")


def _nothing(obj: Object) -> None:
    pass


_BY_KIND: dict[tuple[str, str], Callable[[Object], None]] = {
    ("", "Pod"): pod,
    ("", "PodTemplate"): _nothing,
    ("", "LimitRange"): limit_range,
    ("", "Service"): service,
    ("", "Endpoints"): endpoints,
    ("", "Secret"): secret,
    ("", "Namespace"): namespace,
    ("", "Node"): node,
    ("", "PersistentVolume"): persistent_volume,
    ("", "PersistentVolumeClaim"): persistent_volume_claim,
    ("apps", "Deployment"): deployment,
    ("apps", "DaemonSet"): daemon_set,
    ("apps", "StatefulSet"): stateful_set,
    ("apps", "ReplicaSet"): replica_set,
    ("batch", "Job"): job,
    ("batch", "CronJob"): cron_job,
    ("discovery.k8s.io", "EndpointSlice"): endpoint_slice,
    ("networking.k8s.io", "NetworkPolicy"): network_policy,
    ("networking.k8s.io", "IngressClass"): ingress_class,
    ("storage.k8s.io", "StorageClass"): storage_class,
    ("rbac.authorization.k8s.io", "RoleBinding"): role_binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): role_binding,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): custom_resource_definition,
    ("autoscaling", "HorizontalPodAutoscaler"): autoscaler,
    ("scheduling.k8s.io", "PriorityClass"): priority_class,
}
