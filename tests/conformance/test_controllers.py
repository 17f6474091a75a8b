"""localkube's controllers bring the same objects about as Kubernetes' own.

Each scenario does the same on both clusters and waits until both show the same picture, in which what was to come about
has come about. A scenario is a function; what it waits for is the condition of its `Wanted`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.clusters import Cluster, Object, kubernetes_cluster, localkube_cluster
from tests.conformance.transcripts import differences
from tests.kubernetes.control_plane import ControlPlane, control_plane, controller_manager, scheduler

from klamm.base.together import side_by_side

REACHED_WITHIN = 180.0
_TICK = 0.25
_CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "disruption-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "endpointslice-mirroring-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "persistentvolume-binder-controller",
    "persistentvolumeclaim-protection-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
)
Picture = Mapping[str, list[Any]]


@dataclass(frozen=True)
class Wanted:
    """What a picture is of, and what it must show."""

    kinds: tuple[str, ...]
    shows: Callable[[Picture], bool]


@dataclass(frozen=True)
class Both:
    ours: Cluster
    theirs: Cluster

    async def do(self, deed: Callable[[Cluster], Awaitable[None]]) -> None:
        await side_by_side(deed(self.ours), deed(self.theirs))

    async def come_to(self, wanted: Wanted) -> None:
        """Both show the same, and what is wanted."""
        pictures: list[Picture] = []
        try:
            async with asyncio.timeout(REACHED_WITHIN):
                while True:
                    pictures = [await one.picture(wanted.kinds) for one in (self.ours, self.theirs)]
                    if pictures[0] == pictures[1] and wanted.shows(pictures[0]):
                        return
                    await asyncio.sleep(_TICK)
        except TimeoutError:
            shown = [wanted.shows(each) for each in pictures]
            found = "\n".join(differences(pictures[0], pictures[1])) or f"both are the same: {pictures[0]}"
            raise AssertionError(f"not reached (localkube {shown[0]}, kubernetes {shown[1]}):\n{found}") from None


@pytest.fixture(scope="module")
def controlled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with (
        control_plane(tmp_path_factory.mktemp("controlled")) as running,
        controller_manager(running, _CONTROLLERS),
        scheduler(running),
    ):
        yield running


@pytest.fixture
async def both(request: pytest.FixtureRequest, controlled: ControlPlane, tmp_path: Path) -> AsyncIterator[Both]:
    namespace = re.sub(r"[^a-z]+", "-", request.node.name.removeprefix("test_").lower())[:60].strip("-")
    async with localkube_cluster(tmp_path, namespace) as ours, kubernetes_cluster(controlled, namespace) as theirs:
        clusters = Both(ours, theirs)
        await clusters.come_to(Wanted(("serviceaccounts",), lambda shown: bool(shown["serviceaccounts"])))
        yield clusters


def template(image: str = "i:1") -> Object:
    spec = {"terminationGracePeriodSeconds": 1, "containers": [{"name": "c", "image": image}]}
    return {"metadata": {"labels": {"app": "x"}}, "spec": spec}


def workload(name: str, replicas: int, **more: Any) -> Object:
    selector = {"matchLabels": {"app": "x"}}
    return {
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": selector, "template": template(), **more},
    }


def ready(plural: str, count: int) -> Callable[[Picture], bool]:
    return lambda shown: any(one["status"].get("readyReplicas", 0) == count for one in shown[plural])


CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
DEPLOYED = ("deployments", "replicasets", "pods")


async def test_a_deployment_makes_its_pods(both: Both) -> None:
    await both.do(lambda one: one.create("deployments", workload("web", 2)))
    await both.come_to(Wanted(DEPLOYED, ready("deployments", 2)))


async def test_a_deployment_is_scaled_up_and_down(both: Both) -> None:
    await both.do(lambda one: one.create("deployments", workload("web", 1)))
    await both.come_to(Wanted(DEPLOYED, ready("deployments", 1)))
    await both.do(lambda one: one.patch("deployments", "web", {"spec": {"replicas": 3}}))
    await both.come_to(Wanted(DEPLOYED, ready("deployments", 3)))
    await both.do(lambda one: one.patch("deployments", "web", {"spec": {"replicas": 0}}))
    await both.come_to(Wanted(DEPLOYED, lambda shown: not shown["pods"]))


def runs_only(image: str) -> Callable[[Picture], bool]:
    return lambda shown: (
        bool(shown["pods"])
        and all(pod["spec"]["containers"][0]["image"] == image for pod in shown["pods"])
        and all(one["status"].get("updatedReplicas") == one["status"].get("replicas") for one in shown["deployments"])
    )


async def test_a_new_template_is_rolled_out_and_back(both: Both) -> None:
    await both.do(lambda one: one.create("deployments", workload("web", 2)))
    await both.come_to(Wanted(DEPLOYED, ready("deployments", 2)))
    await both.do(lambda one: one.patch("deployments", "web", {"spec": {"template": template("i:2")}}))
    await both.come_to(Wanted(DEPLOYED, runs_only("i:2")))
    await both.do(lambda one: one.patch("deployments", "web", {"spec": {"template": template("i:1")}}))
    await both.come_to(Wanted(DEPLOYED, runs_only("i:1")))


async def test_a_roll_out_waits_for_pods_that_do_not_get_ready(both: Both) -> None:
    rolling = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    await both.do(lambda one: one.create("deployments", workload("web", 2, strategy=rolling)))
    await both.come_to(Wanted(DEPLOYED, ready("deployments", 2)))
    for one in (both.ours, both.theirs):
        one.held.add("web-")
    await both.do(lambda one: one.patch("deployments", "web", {"spec": {"template": template("i:2")}}))
    await both.come_to(Wanted(DEPLOYED, lambda shown: len(shown["pods"]) == 3))


async def test_recreate_ends_the_old_before_the_new(both: Both) -> None:
    await both.do(lambda one: one.create("deployments", workload("web", 2, strategy={"type": "Recreate"})))
    await both.come_to(Wanted(DEPLOYED, ready("deployments", 2)))
    await both.do(lambda one: one.patch("deployments", "web", {"spec": {"template": template("i:2")}}))
    await both.come_to(Wanted(DEPLOYED, runs_only("i:2")))


async def test_a_paused_deployment_rolls_nothing_out(both: Both) -> None:
    await both.do(lambda one: one.create("deployments", workload("web", 1)))
    await both.come_to(Wanted(DEPLOYED, ready("deployments", 1)))
    await both.do(lambda one: one.patch("deployments", "web", {"spec": {"paused": True, "template": template("i:2")}}))
    await both.come_to(Wanted(DEPLOYED, lambda shown: shown["deployments"][0]["status"].get("observedGeneration") == 2))


async def test_a_stateful_set_makes_pods_and_claims_in_order(both: Both) -> None:
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "none",
    }
    await both.do(lambda one: one.create("statefulsets", workload("db", 2, serviceName="db", volumeClaimTemplates=[])))
    await both.come_to(Wanted(("statefulsets", "pods"), ready("statefulsets", 2)))
    await both.do(lambda one: one.patch("statefulsets", "db", {"spec": {"replicas": 1}}))
    await both.come_to(Wanted(("statefulsets", "pods"), lambda shown: len(shown["pods"]) == 1))
    await both.do(lambda one: one.patch("statefulsets", "db", {"spec": {"template": template("i:2")}}))
    rolled = lambda shown: [pod["spec"]["containers"][0]["image"] for pod in shown["pods"]] == ["i:2"]  # noqa: E731
    await both.come_to(Wanted(("statefulsets", "pods"), rolled))
    wanting = workload(
        "kept", 1, serviceName="kept", volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": claim}]
    )
    await both.do(lambda one: one.create("statefulsets", wanting))
    await both.come_to(Wanted(("persistentvolumeclaims",), lambda shown: bool(shown["persistentvolumeclaims"])))


async def test_a_daemon_set_has_a_pod_on_each_node(both: Both) -> None:
    spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template()}
    await both.do(lambda one: one.create("daemonsets", {"metadata": {"name": "agent"}, "spec": spec}))
    running = lambda shown: bool(shown["daemonsets"]) and shown["daemonsets"][0]["status"].get("numberReady") == 1  # noqa: E731
    await both.come_to(Wanted(("daemonsets", "pods"), running))


async def test_a_job_runs_to_its_end(both: Both) -> None:
    for one in (both.ours, both.theirs):
        one.ended.add("once-")
    pods = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}
    await both.do(lambda one: one.create("jobs", {"metadata": {"name": "once"}, "spec": {"template": pods}}))
    ended = lambda shown: bool(shown["jobs"]) and shown["jobs"][0]["status"].get("succeeded") == 1  # noqa: E731
    await both.come_to(Wanted(("jobs",), ended))


async def test_a_service_leads_to_ready_pods(both: Both) -> None:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    await both.do(
        lambda one: one.create(
            "services", {"metadata": {"name": "s"}, "spec": {"selector": {"app": "x"}, "ports": ports}}
        )
    )
    await both.do(lambda one: one.create("deployments", workload("web", 1)))
    leads = lambda shown: bool(shown["endpoints"]) and bool(shown["endpoints"][0].get("subsets"))  # noqa: E731
    await both.come_to(Wanted(("endpoints", "endpointslices"), leads))
    for one in (both.ours, both.theirs):
        one.held.add("slow-")
    await both.do(lambda one: one.create("deployments", workload("slow", 1)))
    waits = lambda shown: bool(shown["endpoints"][0]["subsets"][0].get("notReadyAddresses"))  # noqa: E731
    await both.come_to(Wanted(("endpoints", "endpointslices"), waits))
    await both.do(lambda one: one.delete("services", "s"))
    await both.come_to(Wanted(("endpoints", "endpointslices"), lambda shown: not any(shown.values())))


async def test_a_budget_counts_its_pods(both: Both) -> None:
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "x"}}}
    await both.do(lambda one: one.create("poddisruptionbudgets", {"metadata": {"name": "b"}, "spec": budget}))
    await both.do(lambda one: one.create("deployments", workload("web", 2)))
    counted = lambda shown: shown["poddisruptionbudgets"][0]["status"].get("disruptionsAllowed") == 1  # noqa: E731
    await both.come_to(Wanted(("poddisruptionbudgets",), counted))


@pytest.mark.parametrize("policy", ["Background", "Foreground", "Orphan"])
async def test_those_below_go_or_stay(policy: str, both: Both) -> None:
    await both.do(lambda one: one.create("deployments", workload("web", 1)))
    await both.come_to(Wanted(DEPLOYED, ready("deployments", 1)))
    await both.do(lambda one: one.delete("deployments", "web", policy))
    stays = policy == "Orphan"
    gone = lambda shown: not shown["deployments"] and bool(shown["pods"]) is stays  # noqa: E731
    await both.come_to(Wanted(DEPLOYED, gone))


async def test_an_owner_of_another_uid_is_none(both: Both) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "11111111-2222-3333-4444-555555555555"}
    await both.do(lambda one: one.create("configmaps", {"metadata": {"name": "kept"}}))
    await both.do(lambda one: one.create("configmaps", {"metadata": {"name": "child", "ownerReferences": [owner]}}))
    names = lambda shown: {each["metadata"]["name"] for each in shown["configmaps"]} == {"kube-root-ca.crt", "kept"}  # noqa: E731
    await both.come_to(Wanted(("configmaps",), names))


async def test_a_namespace_goes_with_all_that_is_in_it(both: Both) -> None:
    await both.do(lambda one: one.create("deployments", workload("web", 1)))
    await both.come_to(Wanted(DEPLOYED, ready("deployments", 1)))

    async def end(one: Cluster) -> None:
        await one.ask("DELETE", f"/api/v1/namespaces/{one.namespace}")

    await both.do(end)
    everything = ("deployments", "replicasets", "pods", "configmaps", "serviceaccounts")
    await both.come_to(Wanted(everything, lambda shown: not any(shown.values())))
    async with asyncio.timeout(REACHED_WITHIN):
        for one in (both.ours, both.theirs):
            while (await one.ask("GET", f"/api/v1/namespaces/{one.namespace}")).get("code") != 404:
                await asyncio.sleep(_TICK)


async def test_a_namespace_gets_its_account_and_its_authority(both: Both) -> None:
    there = lambda shown: bool(shown["configmaps"]) and bool(shown["serviceaccounts"])  # noqa: E731
    await both.come_to(Wanted(("configmaps", "serviceaccounts"), there))


async def test_a_claim_waits_for_a_provisioner(both: Both) -> None:
    async def ask(one: Cluster) -> None:
        storage = {"provisioner": "example.com/nobody", "volumeBindingMode": "WaitForFirstConsumer"}
        await one.ask("POST", "/apis/storage.k8s.io/v1/storageclasses", {"metadata": {"name": "slow"}, **storage})
        spec = {
            "storageClassName": "slow",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        }
        await one.create("persistentvolumeclaims", {"metadata": {"name": "c"}, "spec": spec})

    await both.do(ask)
    pending = lambda shown: bool(shown["persistentvolumeclaims"])  # noqa: E731
    await both.come_to(Wanted(("persistentvolumeclaims",), pending))


async def test_a_pod_that_no_node_takes_says_so(both: Both) -> None:
    spec = {"nodeSelector": {"zone": "none"}, "containers": [{"name": "c", "image": "i:1"}]}
    await both.do(lambda one: one.create("pods", {"metadata": {"name": "p"}, "spec": spec}))

    def refused(shown: Picture) -> bool:
        conditions = shown["pods"][0]["status"].get("conditions") or ()
        return any(each.get("reason") == "Unschedulable" for each in conditions)

    await both.come_to(Wanted(("pods",), refused))
