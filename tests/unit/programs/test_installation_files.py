"""What people install from: the plain manifests, and the chart as far as it can be read without Helm."""

import json
import re
from typing import Any

import yaml

from klamm import __version__
from klamm.programs.generate import CHART, INSTALL
from klamm.programs.installation_files import chart_templates, plain_manifests
from klamm.releases.versions import versions_with_zookeeper

MANIFESTS = {name: yaml.safe_load(text) for name, text in plain_manifests().items()}


def test_plain_manifests_have_the_numbers_that_users_know() -> None:
    assert "020-ClusterRole-strimzi-cluster-operator-namespaced.yaml" in MANIFESTS
    assert "050-ConfigMap-strimzi-cluster-operator.yaml" in MANIFESTS
    assert "060-Deployment-strimzi-cluster-operator.yaml" in MANIFESTS
    # An account and its roles come before the Deployment that needs them.
    assert max(MANIFESTS) == "060-Deployment-strimzi-cluster-operator.yaml"


def test_plain_manifests_leave_the_namespace_to_kubectl() -> None:
    assert [name for name, obj in MANIFESTS.items() if "namespace" in obj["metadata"]] == []


def test_one_sed_makes_them_those_of_another_namespace() -> None:
    moved = {
        name: yaml.safe_load(re.sub(r"(?m): kafka$", ": my-operator", text)) for name, text in plain_manifests().items()
    }
    subjects = {subject["namespace"] for obj in moved.values() for subject in obj.get("subjects", ())}
    assert subjects == {"my-operator"}
    container = moved["060-Deployment-strimzi-cluster-operator.yaml"]["spec"]["template"]["spec"]["containers"][0]
    before = MANIFESTS["060-Deployment-strimzi-cluster-operator.yaml"]["spec"]["template"]["spec"]["containers"][0]
    differing = [(a, b) for a, b in zip(before["env"], container["env"], strict=True) if a != b]
    assert [(a["name"], b["value"]) for a, b in differing] == [("STRIMZI_NAMESPACE", "my-operator")]


def test_nothing_else_lies_among_the_generated_files() -> None:
    """A role that is gone from the code must not go on being applied."""
    assert {path.name for path in (INSTALL / "cluster-operator").glob("*.yaml")} == set(MANIFESTS)
    crds = {path.name for path in (INSTALL / "crds").glob("*.yaml")}
    assert {path.name for path in (CHART / "crds").glob("*.yaml")} == crds


def test_the_chart_has_the_version_of_klamm() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_every_value_has_a_rule_and_every_rule_a_value() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    rules = json.loads((CHART / "values.schema.json").read_text())
    assert set(rules["properties"]) - {"global"} == set(values)


def test_every_value_is_used_or_said_to_be_of_no_use() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    templates = "".join(path.read_text() for path in (CHART / "templates").iterdir())
    readme = (CHART / "README.md").read_text()
    unused = {name for name in values if not re.search(rf"\.{name}\b", templates)}
    assert [name for name in unused if f"`{name}`" not in readme] == []


def test_roles_of_the_chart_are_those_of_the_code() -> None:
    text = chart_templates()["020-roles.yaml"]
    documents: list[dict[str, Any]] = [
        obj for obj in yaml.safe_load_all(re.sub(r"(?m)^ *\{\{.*\}\}$", "", text)) if obj
    ]
    plain = {obj["metadata"]["name"]: obj["rules"] for obj in MANIFESTS.values() if obj["kind"] == "ClusterRole"}
    of_chart = {obj["metadata"]["name"]: obj["rules"] for obj in documents}
    assert {name: rules for name, rules in of_chart.items() if name in plain} == plain
    assert set(of_chart) - set(plain) == {"strimzi-view", "strimzi-admin"}


def test_versions_are_listed_oldest_first() -> None:
    assert versions_with_zookeeper()[:3] == ["3.5.0", "3.5.1", "3.6.0"]
