"""kubectl logs of real pods: what there is, what comes, and when it ends."""

import asyncio
import re
from datetime import UTC, datetime

import pytest
from tests.builders.pod_cluster import WITHIN, PodCluster, pod, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

VOLUME = {"volumes": [{"name": "it"}]}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z (.*)")


def script(*lines: str) -> list[str]:
    return ["/bin/sh", "-c", "; ".join(lines)]


async def log_of(cluster: PodCluster, *arguments: str) -> str:
    said = await cluster.kubectl("logs", *arguments)
    assert said.code == 0, said.err
    return said.out


async def log_has(cluster: PodCluster, pod: str, text: str) -> None:
    async def written() -> bool:
        return text in (await cluster.kubectl("logs", pod)).out

    await until(f"{text!r} is in the log of {pod}", written)


async def test_tail_limit_timestamps_and_times(cluster: PodCluster) -> None:
    await cluster.run_pod("l", "for n in 1 2 3; do echo line $n; done; sleep 6; echo line 4; exec sleep 1000")
    await log_has(cluster, "l", "line 4")
    assert await log_of(cluster, "l") == "line 1\nline 2\nline 3\nline 4\n"
    assert await log_of(cluster, "l", "--tail=2") == "line 3\nline 4\n"
    assert await log_of(cluster, "l", "--tail=0") == ""
    assert await log_of(cluster, "l", "--limit-bytes=10") == "line 1\nlin"
    stamped = (await log_of(cluster, "l", "--timestamps")).splitlines()
    found = [STAMP.fullmatch(line) for line in stamped]
    assert [match[1] for match in found if match] == ["line 1", "line 2", "line 3", "line 4"]
    last = stamped[-1].split()[0]
    assert await log_of(cluster, "l", f"--since-time={last}") == "line 4\n"

    async def since_line_four() -> bool:
        """Lines 3 and 4 are six seconds apart, and kubectl may take three of them to ask: else it asks too late."""
        seconds = (datetime.now(UTC) - datetime.fromisoformat(last)).total_seconds()  # noqa: TID251
        said = await log_of(cluster, "l", f"--since={int(seconds) + 4}s")
        assert said in ("line 4\n", "")
        return said != ""

    await until("the line of the last seconds", since_line_four)
    assert await log_of(cluster, "l", "--since=1h") == await log_of(cluster, "l")
    said = await cluster.kubectl("logs", "l", "--since=1h", f"--since-time={last}")
    assert "at most one of `sinceTime` or `sinceSeconds` may be specified" in said.err
    await cluster.remove("l")


async def test_every_container_and_every_pod_of_a_label(cluster: PodCluster) -> None:
    for name in ("a", "b"):
        containers = [
            {"name": each, "image": "host", "command": script(f"echo {each} of {name}", "exec sleep 1000")}
            for each in ("one", "two")
        ]
        made = pod(name, containers)
        made["metadata"]["labels"] = {"app": "both"}
        cluster.create(made)
    await cluster.until("both run", lambda: [cluster.phase(name) for name in ("a", "b")] == ["Running"] * 2)

    async def all_written() -> bool:
        return len((await log_of(cluster, "-l", "app=both", "--all-containers")).splitlines()) == 4

    await until("all four lines", all_written)
    assert sorted((await log_of(cluster, "a", "--all-containers")).splitlines()) == ["one of a", "two of a"]
    assert await log_of(cluster, "a", "-c", "two") == "two of a\n"
    prefixed = await log_of(cluster, "-l", "app=both", "--all-containers", "--prefix")
    assert "[pod/b/two] two of b" in prefixed
    said = await cluster.kubectl("get", "--raw", "/api/v1/namespaces/default/pods/a/log")
    assert "a container name must be specified for pod a, choose one of: [one two]" in said.err
    said = await cluster.kubectl("logs", "a", "-c", "three")
    assert "container three is not valid for pod a" in said.err
    await cluster.remove("a", "b")


async def test_the_attempt_before_and_following_ends_with_an_attempt(cluster: PodCluster) -> None:
    mounts = [{"name": "it", "mountPath": "/it"}]
    count = "n=$(cat /it/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > /it/n; echo attempt $n"
    wait = "until test -e /it/go$n; do sleep 0.05; done"
    await cluster.run_pod("again", f"{count}; {wait}; echo end of $n; exit 1", volumeMounts=mounts, pod_spec=VOLUME)
    said = await cluster.kubectl("logs", "again", "--previous")
    assert said.code == 1
    assert 'previous terminated container "c" in pod "again" not found' in said.err
    async with cluster.kubectl_running("logs", "-f", "again") as following:
        assert following.stdout is not None
        async with asyncio.timeout(WITHIN):
            assert await following.stdout.readline() == b"attempt 1\n"
            await cluster.kubectl("exec", "again", "--", "touch", "/it/go1")
            assert await following.stdout.read() == b"end of 1\n"
            assert await following.wait() == 0
    await log_has(cluster, "again", "attempt 2")
    assert await log_of(cluster, "again", "--previous") == "attempt 1\nend of 1\n"
    await cluster.remove("again")


async def test_following_ends_when_the_pod_goes(cluster: PodCluster) -> None:
    script = "echo here; trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done"
    await cluster.run_pod("goes", script, pod_spec={"terminationGracePeriodSeconds": 30})
    async with cluster.kubectl_running("logs", "-f", "goes") as following:
        assert following.stdout is not None
        async with asyncio.timeout(WITHIN):
            assert await following.stdout.readline() == b"here\n"
            assert (await cluster.kubectl("delete", "pod", "goes")).code == 0
            assert await following.stdout.read() == b"bye\n"
            assert await following.wait() == 0


async def test_a_deployments_and_a_jobs_log(cluster: PodCluster) -> None:
    said = await cluster.kubectl(
        "create", "deployment", "d", "--image=host", "--", *script("echo of d", "exec sleep 9")
    )
    assert said.code == 0, said.err

    async def written() -> bool:
        return "of d" in (await cluster.kubectl("logs", "deployment/d")).out

    await until("the deployment's pod has written", written)
    await cluster.kubectl("delete", "deployment", "d", "--wait=false")
    await cluster.kubectl("create", "job", "j", "--image=host", "--", *script("echo of j"))
    await cluster.kubectl("wait", "--for=condition=Complete", "job/j", "--timeout=60s")
    assert await log_of(cluster, "-l", "job-name=j") == "of j\n"
    await cluster.kubectl("delete", "job", "j")


def waits_for(cluster: PodCluster, pod: str, *reasons: str) -> bool:
    """At first each waits to be looked at."""
    return cluster.container(pod).get("state", {}).get("waiting", {}).get("reason") in reasons


async def test_what_has_not_started_has_no_log(cluster: PodCluster) -> None:
    cluster.create(pod("unpulled", [{"name": "c", "image": "there-is-none"}]))
    await cluster.until(
        "it cannot be pulled", lambda: waits_for(cluster, "unpulled", "ErrImagePull", "ImagePullBackOff")
    )
    said = await cluster.kubectl("logs", "unpulled")
    reason = r"(image can't be pulled|trying and failing to pull image)"
    told = r'Error from server \(BadRequest\): container "c" in pod "unpulled" is waiting to start: ' + reason + r"\n"
    assert re.fullmatch(told, said.err), said.err
    blocked = {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "a"}}}]}
    cluster.create(pod("blocked", [{"name": "c", "image": "host", "command": script("true"), **blocked}]))
    await cluster.until("it waits", lambda: waits_for(cluster, "blocked", "CreateContainerConfigError"))
    said = await cluster.kubectl("logs", "blocked")
    assert 'container "c" in pod "blocked" is waiting to start: CreateContainerConfigError' in said.err
    cluster.create(pod("unbound", [{"name": "c", "image": "host"}], nodeSelector={"no": "node"}))
    said = await cluster.kubectl("logs", "unbound")
    assert (said.code, said.out, said.err) == (0, "", "")
    await cluster.remove("unpulled", "blocked", "unbound")


async def test_the_log_of_a_terminal(cluster: PodCluster) -> None:
    await cluster.run_pod("tty", "echo one; echo two >&2; printf unended; exec sleep 1000", tty=True)
    await log_has(cluster, "tty", "two")
    assert await log_of(cluster, "tty") == "one\r\ntwo\r\n"
    await cluster.remove("tty")
