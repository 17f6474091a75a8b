"""/api and /apis: what is served, aggregated (v2) and as the older lists, made once per change of the CRDs."""

from klamm.localkube.apiserver.kinds import Kind, Subresource
from klamm.localkube.objects import Object

VERSION = {
    "major": "1",
    "minor": "34",
    "emulationMajor": "1",
    "emulationMinor": "34",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "33",
    "gitVersion": "v1.34.4-klamm",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}

GroupVersions = dict[str, dict[str, list[Kind]]]


def by_group(kinds: list[Kind]) -> GroupVersions:
    """group → version → kinds; a group's versions in the order of preference (v1 before v1beta2)."""
    groups: GroupVersions = {}
    for kind in kinds:
        groups.setdefault(kind.resource.group, {}).setdefault(kind.resource.version, []).append(kind)
    return {
        group: dict(sorted(versions.items(), key=lambda item: version_rank(item[0])))
        for group, versions in groups.items()
    }


def version_rank(version: str) -> tuple[int, int, int, str]:
    """Stable before beta before alpha, newer before older (Kubernetes' version priority)."""
    import re

    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if match is None:
        return (3, 0, 0, version)
    stage = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return (stage, -int(match[1]), -int(match[3] or 0), version)


def _gvk(group: str, version: str, kind: str) -> Object:
    return {"group": group, "version": version, "kind": kind}


def _subresource_gvk(kind: Kind, each: Subresource) -> Object:
    if each.group_version:
        group, _, version = each.group_version.rpartition("/")
        return _gvk(group, version, each.kind)
    return _gvk("", "", each.kind)


def _aggregated_resource(kind: Kind) -> Object:
    made: Object = {
        "resource": kind.resource.plural,
        "responseKind": _gvk("", "", kind.resource.kind),  # of the group and version that it stands in
        "scope": "Namespaced" if kind.resource.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        made["shortNames"] = list(kind.short_names)
    if kind.categories:
        made["categories"] = list(kind.categories)
    if kind.subresources:
        made["subresources"] = [
            {"subresource": each.name, "responseKind": _subresource_gvk(kind, each), "verbs": list(each.verbs)}
            for each in kind.subresources
        ]
    return made


def aggregated(groups: GroupVersions, core: bool, api_version: str = "apidiscovery.k8s.io/v2") -> Object:
    items = []
    for group, versions in groups.items():
        if (group == "") is core:
            listed = [
                {
                    "version": version,
                    "resources": [_aggregated_resource(kind) for kind in kinds],
                    "freshness": "Current",
                }
                for version, kinds in versions.items()
            ]
            metadata: Object = {"name": group} if group else {}
            metadata["creationTimestamp"] = None
            items.append({"metadata": metadata, "versions": listed})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": api_version, "metadata": {}, "items": items}


def api_versions(address: str) -> Object:
    """The body of GET /api."""
    where = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": where}


def group_object(group: str, versions: dict[str, list[Kind]], alone: bool = False) -> Object:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    head = {"kind": "APIGroup", "apiVersion": "v1"} if alone else {}
    return {**head, "name": group, "versions": listed, "preferredVersion": listed[0]}


def group_list(groups: GroupVersions) -> Object:
    named = [group_object(group, versions) for group, versions in groups.items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": named}


def resource_list(group_version: str, kinds: list[Kind]) -> Object:
    resources: list[Object] = []
    for kind in kinds:
        entry: Object = {
            "name": kind.resource.plural,
            "singularName": kind.singular,
            "namespaced": kind.resource.namespaced,
            "kind": kind.resource.kind,
            "verbs": list(kind.verbs),
        }
        if kind.short_names:
            entry["shortNames"] = list(kind.short_names)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        if kind.storage_hash:
            entry["storageVersionHash"] = kind.storage_hash
        resources.append(entry)
        resources += [_subresource_entry(kind, each) for each in kind.subresources]
    head = {"kind": "APIResourceList", **({"apiVersion": "v1"} if "/" in group_version else {})}
    return {**head, "groupVersion": group_version, "resources": resources}


def _subresource_entry(kind: Kind, each: Subresource) -> Object:
    entry: Object = {
        "name": f"{kind.resource.plural}/{each.name}",
        "singularName": "",
        "namespaced": kind.resource.namespaced,
    }
    if each.group_version:
        group, _, version = each.group_version.rpartition("/")
        entry |= {"group": group, "version": version}
    return {**entry, "kind": each.kind, "verbs": list(each.verbs)}
