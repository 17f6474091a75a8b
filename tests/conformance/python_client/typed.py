"""The generated client: a class for each group, a model for each kind."""

from kubernetes import client, watch
from tests.conformance.python_client.told import APPLY, JSON_PATCH, MERGE, STRATEGIC, Told


def _map(name: str, **more: object) -> client.V1ConfigMap:
    metadata = client.V1ObjectMeta(name=name, labels={"own": "yes"})
    return client.V1ConfigMap(metadata=metadata, data={"k": "1"}, **more)


def _deployment(name: str) -> client.V1Deployment:
    container = client.V1Container(name="c", image="i:1", ports=[client.V1ContainerPort(container_port=80)])
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels={"app": name}), spec=client.V1PodSpec(containers=[container])
    )
    spec = client.V1DeploymentSpec(
        replicas=2, selector=client.V1LabelSelector(match_labels={"app": name}), template=template
    )
    return client.V1Deployment(metadata=client.V1ObjectMeta(name=name), spec=spec)


def objects(told: Told) -> None:
    core, ns = client.CoreV1Api(told.api), told.namespace
    made = told.call("create", core.create_namespaced_config_map, ns, _map("a"))
    told.call("create again", core.create_namespaced_config_map, ns, _map("a"))
    told.call("read", core.read_namespaced_config_map, "a", ns)
    told.call("read nobody", core.read_namespaced_config_map, "none", ns)
    told.call("generated", core.create_namespaced_config_map, ns, {"metadata": {"generateName": "some-"}})
    told.call("dry run", core.create_namespaced_config_map, ns, _map("dry"), dry_run="All")
    told.call("wrong name", core.create_namespaced_config_map, ns, _map("Wrong_Name"))
    told.call("replace", core.replace_namespaced_config_map, "a", ns, {**told.plain(made), "data": {"k": "2"}})
    told.call("replace the old one", core.replace_namespaced_config_map, "a", ns, made)
    told.call("delete, foreground", core.delete_namespaced_config_map, "a", ns, propagation_policy="Foreground")
    finalizers = [{"op": "remove", "path": "/metadata/finalizers"}]
    told.call("let it go", core.patch_namespaced_config_map, "a", ns, finalizers)
    wrong = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="other"))
    told.call("create b", core.create_namespaced_config_map, ns, _map("b"))
    told.call("delete another", core.delete_namespaced_config_map, "b", ns, body=wrong)
    told.call("delete a collection", core.delete_collection_namespaced_config_map, ns, label_selector="own=yes")
    told.call("what is left", core.list_namespaced_config_map, ns, label_selector="own")


def pages(told: Told) -> None:
    core, ns = client.CoreV1Api(told.api), told.namespace
    for name in ("a", "b", "c", "d", "e"):
        core.create_namespaced_config_map(ns, _map(name))
    token = None
    for number in (1, 2, 3):
        page = core.list_namespaced_config_map(ns, limit=2, label_selector="own", _continue=token)
        told.say(f"page {number}", page)
        told.say(f"more after page {number}", bool(page.metadata._continue))
        token = page.metadata._continue
        core.delete_namespaced_config_map("e", ns) if number == 1 else None
    told.call("by a field", core.list_namespaced_config_map, ns, field_selector="metadata.name=b")
    told.call("by a field that is none", core.list_namespaced_config_map, ns, field_selector="data.k=1")
    told.call("of all namespaces", core.list_config_map_for_all_namespaces, field_selector=f"metadata.namespace={ns}")


def patches(told: Told) -> None:
    apps, ns = client.AppsV1Api(told.api), told.namespace
    told.call("create", apps.create_namespaced_deployment, ns, _deployment("d"))

    def patch(what: str, body: object, kind: str, **options: object) -> None:
        told.call(what, apps.patch_namespaced_deployment, "d", ns, body, _content_type=kind, **options)

    env = {"name": "c", "env": [{"name": "A", "value": "b"}]}
    patch("strategic", {"spec": {"template": {"spec": {"containers": [env]}}}}, STRATEGIC)
    patch("merge", {"spec": {"replicas": 3}, "metadata": {"labels": {"l": "m"}}}, MERGE)
    patch("operations", [{"op": "replace", "path": "/spec/replicas", "value": 4}], JSON_PATCH)
    patch("operations that fail", [{"op": "test", "path": "/spec/replicas", "value": 9}], JSON_PATCH)
    applied = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 5}}
    patch("apply, in conflict", applied, APPLY, field_manager="one")
    patch("apply by force", applied, APPLY, field_manager="one", force=True)
    patch("apply without a manager", applied, APPLY)
    patch("what the client chooses", {"spec": {"paused": True}}, "")
    told.call("scale", apps.read_namespaced_deployment_scale, "d", ns)
    told.call(
        "scale it",
        apps.patch_namespaced_deployment_scale,
        "d",
        ns,
        {"spec": {"replicas": 1}},
        _content_type=MERGE,
    )
    status = {"status": {"replicas": 1, "observedGeneration": 1}}
    told.call("status", apps.patch_namespaced_deployment_status, "d", ns, status, _content_type=MERGE)
    told.call("read", apps.read_namespaced_deployment, "d", ns)


def watches(told: Told) -> None:
    core, ns = client.CoreV1Api(told.api), told.namespace
    core.create_namespaced_config_map(ns, _map("before"))
    version = core.list_namespaced_config_map(ns, label_selector="own").metadata.resource_version
    core.create_namespaced_config_map(ns, _map("a"))
    core.patch_namespaced_config_map("a", ns, {"data": {"k": "2"}}, _content_type=MERGE)
    core.patch_namespaced_config_map("a", ns, {"metadata": {"labels": {"own": None}}}, _content_type=MERGE)
    core.delete_namespaced_config_map("before", ns)
    since = {"label_selector": "own", "resource_version": version, "timeout_seconds": 10}
    told.events("since a version", watch.Watch().stream(core.list_namespaced_config_map, ns, **since), 4)
    selected = {"field_selector": "metadata.name=a", "timeout_seconds": 10}
    told.events("what is there", watch.Watch().stream(core.list_namespaced_config_map, ns, **selected), 1)
    everything = list(watch.Watch().stream(core.list_namespaced_config_map, ns, label_selector="x", timeout_seconds=3))
    told.say("its time is up", everything)
    again = watch.Watch()
    stream = again.stream(core.list_namespaced_config_map, ns, label_selector="own", resource_version=version)
    told.say("the first of a watch without an end", next(stream)["type"])
    again.stop()


def pods_and_accounts(told: Told) -> None:
    core, ns = client.CoreV1Api(told.api), told.namespace
    told.call("account", core.create_namespaced_service_account, ns, {"metadata": {"name": "me"}})
    asked = client.AuthenticationV1TokenRequest(
        spec=client.V1TokenRequestSpec(audiences=["one"], expiration_seconds=3600)
    )
    told.call("token", core.create_namespaced_service_account_token, "me", ns, asked)
    container = client.V1Container(name="c", image="i")
    spec = client.V1PodSpec(service_account_name="me", containers=[container], node_name="n")
    pod = client.V1Pod(metadata=client.V1ObjectMeta(name="p", labels={"app": "x"}), spec=spec)
    told.call("pod", core.create_namespaced_pod, ns, pod)
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"}
    running = {"status": {"phase": "Running", "conditions": [ready]}}
    told.call("status", core.patch_namespaced_pod_status, "p", ns, running, _content_type=MERGE)
    told.call("log", core.read_namespaced_pod_log, "p", ns, container="none")
    evicted = client.V1Eviction(metadata=client.V1ObjectMeta(name="p"))
    told.call("evict", core.create_namespaced_pod_eviction, "p", ns, evicted)
    told.call("on its way out", core.read_namespaced_pod, "p", ns)
    told.call("delete at once", core.delete_namespaced_pod, "p", ns, grace_period_seconds=0)
    told.call("gone", core.read_namespaced_pod, "p", ns)
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name="s"), string_data={"k": "v"})
    told.call("secret", core.create_namespaced_secret, ns, secret)
    service = client.V1Service(
        metadata=client.V1ObjectMeta(name="svc"),
        spec=client.V1ServiceSpec(selector={"app": "x"}, ports=[client.V1ServicePort(port=80, target_port="web")]),
    )
    told.call("service", core.create_namespaced_service, ns, service)
    lease = client.V1Lease(
        metadata=client.V1ObjectMeta(name="l"), spec=client.V1LeaseSpec(holder_identity="me", lease_duration_seconds=9)
    )
    told.call("lease", client.CoordinationV1Api(told.api).create_namespaced_lease, ns, lease)
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(
            resource_attributes=client.V1ResourceAttributes(namespace=ns, verb="list", resource="pods")
        )
    )
    told.call("may I", client.AuthorizationV1Api(told.api).create_self_subject_access_review, review)
    found = {each.name for each in core.get_api_resources().resources}
    told.say("resources", sorted({"pods", "pods/exec", "pods/log", "configmaps", "events"} & found))
    told.say(
        "groups", sorted({"apps", "batch"} & {each.name for each in client.ApisApi(told.api).get_api_versions().groups})
    )
