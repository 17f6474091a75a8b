from typing import Any

from tests.builders.small_cluster import claim, deployment, small_cluster, template
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.objects import (
    JOBS,
    PERSISTENT_VOLUME_CLAIMS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    STATEFUL_SETS,
    Object,
)


def _stateful_set(name: str, *, replicas: int = 3, image: str = "app:1", **spec: Any) -> Object:
    volume = {"metadata": {"name": "data"}, "spec": claim("data")["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "selector": {"matchLabels": {"app": name}},
            "template": template(name, image),
            "volumeClaimTemplates": [volume],
            **spec,
        },
    }


def _job(name: str, **spec: Any) -> Object:
    body = {"template": template(name, restartPolicy="Never"), **spec}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": body}


def _conditions(obj: Object) -> dict[str, str]:
    return {c["type"]: c.get("reason", "") for c in obj["status"].get("conditions") or ()}


@in_virtual_time
async def test_stateful_pods_come_in_order_with_their_claims() -> None:
    async with small_cluster() as cluster:
        cluster.holds_back.add("db-1")
        cluster.apply(_stateful_set("db"))
        await cluster.settled()
        assert cluster.names(PODS) == ["db-0", "db-1"]
        cluster.becomes("db-1", ready=True)
        await cluster.settled()
        assert cluster.names(PODS) == ["db-0", "db-1", "db-2"]
        assert cluster.names(PERSISTENT_VOLUME_CLAIMS) == ["data-db-0", "data-db-1", "data-db-2"]
        spec = cluster.get(PODS, "db-2")["spec"]
        assert (spec["hostname"], spec["subdomain"]) == ("db-2", "db")
        status = cluster.get(STATEFUL_SETS, "db")["status"]
        assert (status["readyReplicas"], status["availableReplicas"]) == (3, 3)


@in_virtual_time
async def test_stateful_pods_are_replaced_from_the_last_and_scaled_down_keeping_claims() -> None:
    async with small_cluster() as cluster:
        cluster.apply(_stateful_set("db", replicas=2))
        await cluster.settled()
        cluster.holds_back.add("db-1")
        cluster.apply(_stateful_set("db", replicas=2, image="app:2"))
        await cluster.settled()
        images = [p["spec"]["containers"][0]["image"] for p in cluster.pods("db")]
        assert images == ["app:1", "app:2"]
        cluster.becomes("db-1", ready=True)
        await cluster.settled()
        status = cluster.get(STATEFUL_SETS, "db")["status"]
        assert status["updatedReplicas"] == 2
        assert status["currentRevision"] == status["updateRevision"]
        cluster.apply(_stateful_set("db", replicas=1, image="app:2"))
        await cluster.settled()
        assert cluster.names(PODS) == ["db-0"]
        assert cluster.names(PERSISTENT_VOLUME_CLAIMS) == ["data-db-0", "data-db-1"]


@in_virtual_time
async def test_a_job_is_complete_when_its_pods_have_succeeded() -> None:
    async with small_cluster() as cluster:
        cluster.apply(_job("load", completions=3, parallelism=2))
        await cluster.settled()
        assert len(cluster.pods("load")) == 2
        for _ in range(2):
            for running in cluster.pods("load"):
                if running["status"]["phase"] == "Running":
                    cluster.ends(running["metadata"]["name"], "Succeeded")
            await cluster.settled()
        done = cluster.get(JOBS, "load")
        assert done["status"]["succeeded"] == 3
        assert "Complete" in _conditions(done)
        assert done["status"]["completionTime"]


@in_virtual_time
async def test_a_job_tries_again_later_and_later_and_then_fails() -> None:
    async with small_cluster() as cluster:
        cluster.apply(_job("load", backoffLimit=1, ttlSecondsAfterFinished=100))
        await cluster.settled()
        cluster.ends(cluster.names(PODS)[0], "Failed")
        await cluster.settled()
        assert len(cluster.names(PODS)) == 1
        await cluster.passes(11)
        second = next(p for p in cluster.pods("load") if p["status"]["phase"] == "Running")
        cluster.ends(second["metadata"]["name"], "Failed")
        await cluster.settled()
        assert _conditions(cluster.get(JOBS, "load"))["Failed"] == "BackoffLimitExceeded"
        await cluster.passes(101)
        assert cluster.find(JOBS, "load") is None
        assert cluster.names(PODS) == []


@in_virtual_time
async def test_a_budget_counts_what_may_be_disrupted() -> None:
    async with small_cluster() as cluster:
        budget = {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "web"},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        }
        cluster.apply(budget)
        cluster.apply(deployment("web", replicas=3))
        await cluster.settled()
        status = cluster.get(POD_DISRUPTION_BUDGETS, "web")["status"]
        counted = {name: status[name] for name in ("expectedPods", "desiredHealthy", "currentHealthy")}
        assert counted == {"expectedPods": 3, "desiredHealthy": 2, "currentHealthy": 3}
        assert status["disruptionsAllowed"] == 1
        cluster.becomes(cluster.pods("web")[0]["metadata"]["name"], ready=False)
        await cluster.settled()
        assert cluster.get(POD_DISRUPTION_BUDGETS, "web")["status"]["disruptionsAllowed"] == 0
