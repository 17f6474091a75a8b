"""Clients that know no kinds: custom objects by their path, the dynamic client by discovery, manifests from files."""

import copy
from functools import partial
from typing import Any

from kubernetes import client, dynamic, utils
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from tests.conformance.python_client.told import APPLY, JSON_PATCH, MERGE, STRATEGIC, Told


def _definition(group: str) -> dict[str, Any]:
    spec = {
        "type": "object",
        "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1},
            "text": {"type": "string", "default": "t"},
            "parts": {"type": "array", "items": {"type": "string"}},
        },
    }
    status = {"type": "object", "properties": {"ready": {"type": "integer"}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}}
    scale = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.ready"}
    version = {"served": True, "subresources": {"status": {}, "scale": scale}, "schema": schema}
    versions = [{**version, "name": "v1", "storage": True}, {**version, "name": "v1beta1", "storage": False}]
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "shortNames": ["th"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": versions},
    }


def _group(told: Told) -> str:
    return f"{told.namespace}.example.com"


def _defined(told: Told) -> None:
    """Its kind is there, and both versions are served."""
    definitions, group = client.ApiextensionsV1Api(told.api), _group(told)
    definitions.create_custom_resource_definition(_definition(group))

    def established() -> bool:
        conditions = definitions.read_custom_resource_definition(f"things.{group}").status.conditions or ()
        return any(each.type == "Established" and each.status == "True" for each in conditions)

    told.until("the definition is established", established)
    listed = client.CustomObjectsApi(told.api).list_namespaced_custom_object
    for version in ("v1", "v1beta1"):
        told.until(f"{version} is served", partial(listed, group, version, told.namespace, "things"))


def _thing(told: Told, name: str, **spec: object) -> dict[str, Any]:
    return {"apiVersion": f"{_group(told)}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec}


def custom_objects(told: Told) -> None:
    _defined(told)
    api = client.CustomObjectsApi(told.api)
    where = (_group(told), "v1", told.namespace, "things")
    told.call("create", api.create_namespaced_custom_object, *where, _thing(told, "a", size=3, strange=1))
    told.call("create what breaks a rule", api.create_namespaced_custom_object, *where, _thing(told, "b", size=0))
    strict = {"field_validation": "Strict"}
    unknown = _thing(told, "b", size=1, strange=1)
    told.call("create what nobody knows", api.create_namespaced_custom_object, *where, unknown, **strict)
    told.call("read", api.get_namespaced_custom_object, *where, "a")
    told.call("read the other version", api.get_namespaced_custom_object, where[0], "v1beta1", *where[2:], "a")

    def patch(what: str, body: object, kind: str, **options: object) -> None:
        told.call(what, api.patch_namespaced_custom_object, *where, "a", body, _content_type=kind, **options)

    patch("merge", {"spec": {"parts": ["x"]}}, MERGE)
    patch("operations", [{"op": "add", "path": "/spec/parts/-", "value": "y"}], JSON_PATCH)
    patch("strategic", {"spec": {"size": 4}}, STRATEGIC)
    patch("apply, in conflict", _thing(told, "a", size=5), APPLY, field_manager="one")
    patch("apply by force", _thing(told, "a", size=5), APPLY, field_manager="one", force=True)
    status = {"status": {"ready": 2}, "spec": {"size": 9}}
    told.call("status", api.patch_namespaced_custom_object_status, *where, "a", status, _content_type=MERGE)
    told.call("scale", api.get_namespaced_custom_object_scale, *where, "a")
    told.call(
        "scale it",
        api.patch_namespaced_custom_object_scale,
        *where,
        "a",
        {"spec": {"replicas": 7}},
        _content_type=MERGE,
    )
    now: Any = api.get_namespaced_custom_object(*where, "a")
    told.call("replace", api.replace_namespaced_custom_object, *where, "a", {**now, "spec": {"size": 1}})
    told.call("replace the old one", api.replace_namespaced_custom_object, *where, "a", now)
    api.create_namespaced_custom_object(*where, _thing(told, "b", size=1))
    page: Any = told.call("list", api.list_namespaced_custom_object, *where, limit=1)
    told.call("the rest", api.list_namespaced_custom_object, *where, limit=1, _continue=page["metadata"]["continue"])
    told.call("cluster-wide", api.list_cluster_custom_object, where[0], where[1], where[3])
    told.call("delete", api.delete_namespaced_custom_object, *where, "a")
    told.call("delete all", api.delete_collection_namespaced_custom_object, *where)
    told.call("a group that is none", api.list_namespaced_custom_object, "none.example.com", *where[1:])


def dynamically(told: Told) -> None:
    _defined(told)
    found = dynamic.DynamicClient(told.api, cache_file=str(told.folder / f"{told.namespace}.json"))
    maps = found.resources.get(api_version="v1", kind="ConfigMap")
    own, ns = {"namespace": told.namespace}, told.namespace
    one = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "labels": {"own": "yes"}},
        "data": {"k": "1"},
    }
    told.call("create", maps.create, body=copy.deepcopy(one), **own)
    told.call("get", maps.get, name="a", **own)
    told.call("get nobody", maps.get, name="none", **own)
    told.call("patch", maps.patch, body={"metadata": {"name": "a"}, "data": {"l": "2"}}, **own)
    told.call("merge", maps.patch, name="a", body={"data": {"l": None}}, content_type=MERGE, **own)
    operations = [{"op": "add", "path": "/data/m", "value": "3"}]
    told.call(
        "operations",
        lambda: found.request("patch", maps.path(name="a", namespace=ns), operations, content_type=JSON_PATCH),
    )
    other = {**one, "data": {"k": "mine"}}
    told.call("apply, in conflict", maps.server_side_apply, body=other, field_manager="one", **own)
    told.call("apply by force", maps.server_side_apply, body=other, field_manager="one", force_conflicts=True, **own)
    told.call("apply it again", maps.server_side_apply, body=other, field_manager="one", **own)
    told.call(
        "apply what is new",
        maps.server_side_apply,
        name="n",
        body={**one, "metadata": {"name": "n"}},
        field_manager="one",
        **own,
    )
    now = maps.get(name="a", **own).to_dict()
    told.call("replace", maps.replace, body={**now, "data": {"k": "4"}}, **own)
    told.call("replace the old one", maps.replace, body=now, **own)
    told.call("list", maps.get, label_selector="own=yes", **own)
    page = told.call("a page", maps.get, limit=1, **own)
    told.call("the next page", maps.get, limit=1, _continue=page.metadata["continue"], **own)
    version = maps.get(**own).metadata.resourceVersion
    maps.create(body={"metadata": {"name": "seen"}}, **own)
    maps.delete(name="seen", **own)
    told.events("watch", maps.watch(**own, resource_version=version, timeout=10), 2)
    told.call("delete", maps.delete, name="a", **own)
    told.call("delete by label", maps.delete, label_selector="own=no", **own)
    things = found.resources.get(api_version=f"{_group(told)}/v1", kind="Thing")
    told.call("create a thing", things.create, body=_thing(told, "t", size=2), **own)
    told.call("its status", things.status.patch, name="t", body={"status": {"ready": 1}}, content_type=MERGE, **own)
    told.call("its scale", things.scale.get, name="t", **own)
    told.call(
        "apply the thing",
        things.server_side_apply,
        body=_thing(told, "t", size=3),
        field_manager="one",
        force_conflicts=True,
        **own,
    )
    try:
        found.resources.get(api_version="v1", kind="Nonsense")
    except ResourceNotFoundError as error:
        told.say("nonsense", str(error))


def manifests(told: Told) -> None:
    labels = {"app": "x"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}

    def of(kind: str, version: str, **more: object) -> dict[str, Any]:
        metadata = {"name": "m", "namespace": told.namespace}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}

    wanted = [
        of("ConfigMap", "v1", data={"k": "v"}),
        of("Deployment", "apps/v1", spec={"selector": {"matchLabels": labels}, "template": template}),
        of(
            "Role", "rbac.authorization.k8s.io/v1", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
        ),
        of("PodDisruptionBudget", "policy/v1", spec={"maxUnavailable": 1, "selector": {"matchLabels": labels}}),
        of("NetworkPolicy", "networking.k8s.io/v1", spec={"podSelector": {}}),
    ]
    for each in wanted:
        told.call(f"create {each['kind']}", utils.create_from_dict, told.api, each)
    try:
        utils.create_from_dict(told.api, {"apiVersion": "v1", "kind": "List", "items": wanted[:2]})
    except utils.FailToCreateError as error:
        told.say("again", [str(each.status) for each in error.api_exceptions])
