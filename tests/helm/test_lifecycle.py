"""The life of a release on localkube and on a real kube-apiserver: after each step the same objects on both.

Neither has a kubelet here, so nothing is waited for until it is ready; that a release comes up is shown on one machine
(test_on_one_machine.py) and on a whole node (tests/kubernetes).
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from tests.conformance.transcripts import differences
from tests.helm.release import CHART, Commands, Object

from klamm.base.quantities import quantity
from klamm.base.together import side_by_side

RELEASE, NAMESPACE = "kafka-operator", "kafka"
_TIMES = re.compile(r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*( \+0000 UTC|Z)")
_AMOUNTS = {"limits", "requests"}
_OF_A_SERVER = {"uid", "resourceVersion", "creationTimestamp"}

STEPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "tried out on the server only": (("install", RELEASE, str(CHART), "--dry-run=server"),),
    "installed": (("install", RELEASE, str(CHART)),),
    "upgraded: two replicas, debugging": (
        ("upgrade", RELEASE, str(CHART), "--set", "replicas=2,logLevel=DEBUG", "--description", "more"),
    ),
    "upgraded: no leader election, so pods no longer overlap": (
        ("upgrade", RELEASE, str(CHART), "--reuse-values", "--set", "leaderElection.enable=false"),
    ),
    "upgraded: watches two more namespaces": (
        ("upgrade", RELEASE, str(CHART), "--set", "watchNamespaces={team-a,team-b}"),
    ),
    "rolled back to the first": (("rollback", RELEASE, "1"),),
    "asked about": (
        ("history", RELEASE, "-o", "json"),
        ("status", RELEASE),
        ("list", "-A", "-o", "json"),
        ("get", "values", RELEASE, "--all"),
        ("get", "manifest", RELEASE),
        ("get", "notes", RELEASE),
    ),
    "refused: the name is in use": (("install", RELEASE, str(CHART)),),
    "refused: another release's objects": (("install", "another", str(CHART)),),
    "uninstalled": (("uninstall", RELEASE, "--wait", "--timeout", "60s"),),
    "installed again": (("install", RELEASE, str(CHART)),),
    "uninstalled, its history kept": (("uninstall", RELEASE, "--wait", "--keep-history"),),
    "brought back": (("rollback", RELEASE, "1"),),
    "uninstalled for good": (("uninstall", RELEASE, "--wait"),),
}


async def test_a_release_lives_alike_on_both_servers(on_localkube: Commands, on_kubernetes: Commands) -> None:
    ours, theirs = await side_by_side(lived(on_localkube), lived(on_kubernetes))
    for step in STEPS:
        found = differences(ours[step], theirs[step])
        assert not found, "\n".join([f"after the step “{step}”", *found])


async def lived(commands: Commands) -> dict[str, Any]:
    """Step by step: how each command ended, what it said, and what is there then."""
    for namespace in (NAMESPACE, "team-a", "team-b"):
        await commands.kubectl("create", "namespace", namespace)
    found: dict[str, Any] = {}
    from tests.helm.program import helm_program

    for step, lines in STEPS.items():
        said = [await commands.attempt(str(helm_program()), *line, "-n", NAMESPACE) for line in lines]
        found[step] = {
            "said": [(each.code, _TIMES.sub("<time>", each.out + each.err).splitlines()) for each in said],
            "there": {name: lasting(obj) for name, obj in (await commands.installed()).items()},
        }
    return found


def lasting(obj: Any) -> Any:
    """An object without what two servers cannot share; quantities by their value (localkube keeps the text)."""
    if isinstance(obj, Mapping):
        kept = {name: lasting(value) for name, value in obj.items() if name not in _OF_A_SERVER}
        amounts = {
            name: {of: float(quantity(text)) for of, text in obj[name].items()} for name in _AMOUNTS & obj.keys()
        }
        return {**kept, **amounts}
    if isinstance(obj, list):
        return [lasting(value) for value in obj]
    return obj


async def test_uninstalling_leaves_only_the_definitions(on_kubernetes: Commands, on_localkube: Commands) -> None:
    for commands in (on_kubernetes, on_localkube):
        await commands.kubectl("create", "namespace", "brief")
        await commands.helm("install", "brief", str(CHART), "-n", "brief")
        await commands.helm("uninstall", "brief", "-n", "brief", "--wait")
        assert await commands.installed() == {}
        secrets: Object = json.loads(await commands.kubectl("get", "secrets", "-n", "brief", "-o", "json"))
        assert secrets["items"] == []
        definitions = (await commands.kubectl("get", "crd", "-o", "name")).split()
        assert len([name for name in definitions if name.endswith("strimzi.io")]) == 11


PLAIN = {
    "kafka": "kubectl apply -f install/crds -f install/cluster-operator -n kafka",
    "plain": "sed 's/: kafka$/: plain/' install/cluster-operator/*.yaml | kubectl apply -n plain -f -",
}


@pytest.mark.parametrize("namespace", PLAIN)
async def test_plain_manifests_install_an_operator_for_their_namespace(
    namespace: str, on_kubernetes: Commands, on_localkube: Commands
) -> None:
    for commands in (on_kubernetes, on_localkube):
        await commands.attempt("kubectl", "create", "namespace", namespace)  # another test may have left it
        await typed(commands, PLAIN[namespace])
        there = await commands.installed()
        binding = there[f"RoleBinding {namespace}/strimzi-cluster-operator-watched"]
        account = {"kind": "ServiceAccount", "name": "strimzi-cluster-operator", "namespace": namespace}
        assert binding["subjects"] == [account]
        deployment = there[f"Deployment {namespace}/strimzi-cluster-operator"]
        environment = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        assert {"name": "STRIMZI_NAMESPACE", "value": namespace} in environment
        await typed(commands, f"kubectl delete -f install/cluster-operator -n {namespace}")
        assert await commands.installed() == {}


async def typed(commands: Commands, line: str) -> None:
    said = await commands.attempt("bash", "-o", "pipefail", "-c", line)
    assert said.code == 0, f"$ {line}\n{said.out}{said.err}"
