"""The files by which people install the operator, made from the code: plain manifests, and the chart's roles.

What the operator may do and how its Deployment looks is said once, in `desired/cluster_operator`. The chart's other
templates are written by hand, because values change them; tests/helm holds them to the same objects.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from klamm import __version__
from klamm.desired.cluster_operator.access import bindings, cluster_roles
from klamm.desired.cluster_operator.aggregation import aggregate_roles
from klamm.desired.cluster_operator.installation import Installation, installation_objects
from klamm.releases.versions import versions_with_zookeeper
from klamm.resources.structure import Block, encode

Object = dict[str, Any]

HEADER = "Generated from src/klamm/desired/cluster_operator by make generate; do not edit."
NAMESPACE = "kafka"
"""Where the plain manifests install. It stands in them as `: kafka` at a line's end and nowhere else, so that one
`sed` makes them those of another namespace."""

_NUMBERS = {
    "strimzi-cluster-operator-namespaced": "020",
    "strimzi-cluster-operator-global": "021",
    "strimzi-cluster-operator-leader-election": "022",
    "strimzi-cluster-operator-watched": "023",
    "strimzi-kafka-broker": "030",
    "strimzi-entity-operator": "031",
}
"""Of roles, and of what binds them: the numbers by which Strimzi's users know them."""
_OTHER_ROLE = "040"
_OTHER_KINDS = {"ServiceAccount": "010", "ConfigMap": "050", "Deployment": "060"}


def plain_manifests() -> dict[str, str]:
    """File name → content, for `kubectl apply -f install/cluster-operator -n kafka`."""
    return {_file_name(obj): f"---\n# {HEADER}\n{yaml_of(obj)}" for obj in map(_without_namespace, _plain_objects())}


def _plain_objects() -> list[Object]:
    images = {version: f"klamm/kafka:{__version__}-kafka-{version}" for version in versions_with_zookeeper()}
    image = f"klamm/operator:{__version__}"
    installation = Installation(
        namespace=NAMESPACE, operator_image=image, kafka_images=images, watched=(NAMESPACE,), replicas=1
    )
    return [encode(block) for block in installation_objects(installation)]


def _without_namespace(obj: Object) -> Object:
    """`kubectl apply -n` says it; only the subjects of bindings have to name theirs."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "namespace"}
    return {**obj, "metadata": metadata}


def _file_name(obj: Object) -> str:
    role = obj["roleRef"] if "roleRef" in obj else obj["metadata"]
    number = _OTHER_KINDS.get(obj["kind"]) or _NUMBERS.get(role["name"], _OTHER_ROLE)
    return f"{number}-{obj['kind']}-{obj['metadata']['name']}.yaml"


def chart_templates() -> dict[str, str]:
    """File name below templates/ → content."""
    return {
        "020-roles.yaml": _roles_template(),
        "030-bindings.yaml": _bindings_template(),
        "_kafka_versions.tpl": _template(_defined("klamm.kafkaVersions", " ".join(versions_with_zookeeper()))),
    }


_LABELS = '{{- include "klamm.labels" $ | nindent 4 }}'
_RELEASE, _PLACE = "RELEASE-NAMESPACE", "WATCHED-NAMESPACE"
_WHEN_GLOBAL = "and .Values.rbac.create .Values.createGlobalResources"


def _roles_template() -> str:
    roles = _only_if(_WHEN_GLOBAL, _documents(cluster_roles()))
    aggregates = _only_if(
        "and .Values.createGlobalResources .Values.createAggregateRoles", _documents(aggregate_roles())
    )
    return _template(f"{roles}{aggregates}")


def _bindings_template() -> str:
    """What the code binds for all namespaces and what for one differ; that difference is the template's condition."""
    everywhere = [encode(block) for block in bindings(_RELEASE, ())]
    in_places = [encode(block) for block in bindings(_RELEASE, (_PLACE,))]
    election = [obj for obj in in_places if _is_of_election(obj)]
    always = [obj for obj in everywhere if obj in in_places and obj not in election]
    for_all = [obj for obj in everywhere if obj not in in_places]
    for_each = [obj for obj in in_places if obj not in everywhere]
    watched = '{{- range include "klamm.watched" . | fromJsonArray }}\n' + _written(for_each) + "{{- end }}\n"
    parts = [
        _only_if("and .Values.rbac.create .Values.leaderElection.enable", _written(election)),
        _only_if(_WHEN_GLOBAL, _written(always)),
        _only_if(f"{_WHEN_GLOBAL} .Values.watchAnyNamespace", _written(for_all)),
        _only_if("and .Values.rbac.create (not .Values.watchAnyNamespace)", watched),
    ]
    return _template("".join(parts))


def _is_of_election(obj: Object) -> bool:
    return str(obj["roleRef"]["name"]).endswith("-leader-election")


def _documents(blocks: Sequence[Block]) -> str:
    return _written(encode(block) for block in blocks)


def _written(objects: Iterable[Object]) -> str:
    """YAML with the release's names put in. Labels come from the chart's own helper, beside those that are special."""
    text = ""
    for obj in objects:
        labels = {key: value for key, value in obj["metadata"].get("labels", {}).items() if key != "app"}
        metadata = {**obj["metadata"], "labels": {**labels, "CHART": "LABELS"}}
        subjects = [{**subject, "name": "SERVICE-ACCOUNT"} for subject in obj.get("subjects", ())]
        text += "---\n" + yaml_of({**obj, "metadata": metadata, **({"subjects": subjects} if subjects else {})})
    return (
        text.replace("    CHART: LABELS\n", f"    {_LABELS}\n")
        .replace(_RELEASE, "{{ $.Release.Namespace }}")
        .replace(_PLACE, "{{ . }}")
        .replace("SERVICE-ACCOUNT", "{{ $.Values.serviceAccount }}")
    )


def _only_if(condition: str, text: str) -> str:
    return f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n"


def _defined(name: str, text: str) -> str:
    return f'{{{{- define "{name}" -}}}}\n{text}\n{{{{- end }}}}\n'


def _template(text: str) -> str:
    return f"{{{{/* {HEADER} */}}}}\n{text}"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stand as they are, and lists are indented as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _as_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _as_text)


def yaml_of(obj: Any) -> str:
    """As people write it, keys in their order."""
    return str(yaml.dump(obj, Dumper=_Dumper, sort_keys=False, width=120))
