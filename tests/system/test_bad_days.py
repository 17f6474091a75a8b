"""Processes die, specs change, homes are left as they are: all is well again soon, and nothing promised is lost.

A producer with acks=all writes and a consumer reads all the while, from the host through the NodePort listener. Every
test leaves a Ready cluster behind, so that any of them can be run alone.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.builders.cluster import CHECKOUT, CLOCK, READY_WITHIN, is_ready_pod, is_true, pause, restarts_of
from tests.builders.local_cluster import LocalCluster, User, local_cluster
from tests.builders.traffic import Traffic, everything_in

AGAIN_WITHIN = 60.0
"""Seconds until all is Ready again, whatever died: what is promised."""
TOPIC = "promises"
TOPIC_MANIFEST = f"""
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaTopic
metadata:
  name: {TOPIC}
  labels: {{strimzi.io/cluster: my-cluster}}
spec: {{partitions: 3, replicas: 3, config: {{min.insync.replicas: 2}}}}
"""

Identity = tuple[str, int, int, str]
"""A server's pod uid, restart count, process id, and the time when the process started."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """`klamm up kafka-1.yaml`, and a topic of three partitions."""
    with local_cluster() as cluster:
        begun = CLOCK.monotonic()
        cluster.klamm("up", "kafka-1.yaml", "-n", "kafka", "--timeout", str(READY_WITHIN))
        print(f"{CLOCK.monotonic() - begun:6.1f} s until klamm up has ended")
        cluster.kubectl("apply", "-n", "kafka", "-f", "-", given=TOPIC_MANIFEST)
        cluster.kubectl(
            "wait", "--for=condition=Ready", f"kafkatopic/{TOPIC}", "-n", "kafka", "--timeout=150s", within=160
        )
        yield cluster


def bootstrap_of(cluster: LocalCluster) -> str:
    """What the status tells clients outside."""
    kafka = cluster.found("kafka", "my-cluster", "-n", "kafka") or {}
    told: dict[str, str] = {one["name"]: one["bootstrapServers"] for one in kafka["status"]["listeners"]}
    return told["external"]


@contextmanager
def traffic(cluster: LocalCluster) -> Iterator[Traffic]:
    """Producing and consuming have begun; at the end nothing acknowledged is lost, and writing went on to the end."""
    with Traffic(bootstrap_of(cluster), TOPIC) as flowing:
        cluster.until("records are written and read", lambda: flowing.goes_on(50), telling=flowing.where)
        yield flowing
        cluster.until("writing and reading go on", flowing.goes_on, telling=flowing.where)
        flowing.finish()
        print(f"{len(flowing.acknowledged)} records acknowledged, {len(flowing.refused)} refused, none lost")


def identities(cluster: LocalCluster, *parts: str) -> dict[str, Identity]:
    """Of every broker and every ZooKeeper (or of the parts named): whether it is still the very same process."""
    words = {"kafka": "kafka.Kafka", "zookeeper": "QuorumPeerMain"}
    pods, processes = cluster.pods(), cluster.processes()
    found: dict[str, Identity] = {}
    for part in parts or tuple(words):
        for name in (f"my-cluster-{part}-{index}" for index in range(3)):
            (process,) = [one for one in processes if one.host == name and words[part] in one.command]
            found[name] = (pods[name]["metadata"]["uid"], restarts_of(pods[name]), process.pid, process.started)
    return found


def restarts(cluster: LocalCluster, pod: str) -> int:
    found = cluster.pods().get(pod)
    return restarts_of(found) if found else 0


VICTIMS = {
    "a broker": ("my-cluster-kafka-1", "kafka.Kafka"),
    "a ZooKeeper": ("my-cluster-zookeeper-1", "QuorumPeerMain"),
    "the topic operator": ("", "klamm.programs.topic_operator"),
    "the user operator": ("", "klamm.programs.user_operator"),
    "the cluster operator": ("", "klamm.programs.cluster_operator"),
    "the control plane": ("", "klamm.programs.control_plane"),
    "the relay": ("", " relay --home"),
}


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_it_comes_back_and_nothing_acknowledged_is_lost(cluster: LocalCluster, victim: str) -> None:
    host, words = VICTIMS[victim]
    cluster.until_ready()
    with traffic(cluster):
        before = identities(cluster)
        process = cluster.process_of(host, words)
        count = restarts(cluster, process.host)
        began = CLOCK.monotonic()
        process.kill()

        def runs_again() -> bool:
            alive = [one for one in cluster.processes() if words in one.command and host in ("", one.host)]
            return len(alive) == 1 and alive[0].pid != process.pid

        cluster.until(f"{victim} runs again", runs_again, within=AGAIN_WITHIN)
        if process.host:
            counted = f"the restart of {process.host} is counted"
            cluster.until(counted, lambda: restarts(cluster, process.host) > count, within=AGAIN_WITHIN)
        cluster.until_ready(within=AGAIN_WITHIN)
        took = CLOCK.monotonic() - began
        print(f"{took:6.1f} s from kill -9 of {victim} until all is Ready")
        assert took < AGAIN_WITHIN
    after = identities(cluster)
    assert {name for name in before if before[name] != after[name]} == ({host} if host else set())
    assert all(before[name][0] == after[name][0] for name in before), "a pod was replaced, where a restart was enough"


def test_the_api_answers_again_at_once_after_its_death(cluster: LocalCluster) -> None:
    """The guardian keeps the port: who asks meanwhile waits and is not refused."""
    cluster.process_of("", "klamm.programs.control_plane").kill()
    assert "klamm-0" in cluster.kubectl("get", "nodes", within=30)
    cluster.until_ready(within=AGAIN_WITHIN)


def test_a_changed_spec_waits_while_paused_and_then_reaches_the_brokers_one_by_one(cluster: LocalCluster) -> None:
    cluster.until_ready()
    before = identities(cluster)
    cluster.typed("kubectl annotate kafka my-cluster -n kafka strimzi.io/pause-reconciliation=true")
    patch = '{"spec":{"kafka":{"config":{"background.threads":9}}}}'
    cluster.kubectl("patch", "kafka", "my-cluster", "-n", "kafka", "--type=merge", "-p", patch)

    def paused() -> bool:
        kafka = cluster.found("kafka", "my-cluster", "-n", "kafka") or {}
        return is_true(kafka, "ReconciliationPaused")

    cluster.until("the status says that reconciliation is paused", paused)
    assert identities(cluster) == before
    with traffic(cluster) as flowing:
        cluster.typed("kubectl annotate kafka my-cluster -n kafka strimzi.io/pause-reconciliation-")
        roll(cluster, before)
        assert not flowing.refused, "a partition fell below min.insync.replicas"
    described = cluster.typed("kubectl exec my-cluster-kafka-0 -n kafka -- cat /tmp/strimzi.properties")
    assert "background.threads=9" in described.splitlines()


def test_an_added_listener_reaches_the_brokers_one_by_one(cluster: LocalCluster) -> None:
    cluster.until_ready()
    before = identities(cluster)
    listener = {"name": "extra", "port": 9095, "type": "internal", "tls": False}
    patch = json.dumps([{"op": "add", "path": "/spec/kafka/listeners/-", "value": listener}])
    with traffic(cluster) as flowing:
        cluster.kubectl("patch", "kafka", "my-cluster", "-n", "kafka", "--type=json", "-p", patch)
        roll(cluster, before)
        assert not flowing.refused, "a partition fell below min.insync.replicas"
    kafka = cluster.found("kafka", "my-cluster", "-n", "kafka") or {}
    told = {one["name"]: one["bootstrapServers"] for one in kafka["status"]["listeners"]}
    assert told["extra"] == "my-cluster-kafka-bootstrap.kafka.svc:9095"
    listed = cluster.typed(
        "kubectl exec my-cluster-kafka-0 -n kafka -- /opt/kafka/bin/kafka-topics.sh --list"
        f" --bootstrap-server {told['extra']}"
    )
    assert TOPIC in listed.splitlines()


def roll(cluster: LocalCluster, before: dict[str, Identity]) -> None:
    """Wait until every broker is another pod, looking all the while that no two are away; ZooKeeper stays."""
    most_away = 0

    def rolled() -> bool:
        nonlocal most_away
        found = cluster.pods()
        if not found:
            return False  # kubectl had no answer; ZooKeepers are always there
        pods = {name: pod for name, pod in found.items() if re.fullmatch(r"my-cluster-kafka-\d", name)}
        ready = [name for name, pod in pods.items() if is_ready_pod(pod)]
        most_away = max(most_away, 3 - len(ready))
        return len(ready) == 3 and all(pods[name]["metadata"]["uid"] != before[name][0] for name in pods)

    cluster.until("every broker is restarted and ready", rolled)
    cluster.until_ready()
    after = identities(cluster)
    assert most_away == 1, f"{most_away} brokers were away at once"
    assert {name: one for name, one in after.items() if "zookeeper" in name} == {
        name: one for name, one in before.items() if "zookeeper" in name
    }


def test_down_and_up_keep_the_data(cluster: LocalCluster) -> None:
    cluster.until_ready()
    with traffic(cluster) as flowing:
        pass
    id_before = cluster.typed("kubectl get kafka my-cluster -n kafka -o jsonpath={.status.clusterId}")
    cluster.klamm("down")
    assert cluster.processes() == []
    up_again(cluster, id_before, flowing.acknowledged)


def test_a_home_whose_processes_were_all_killed_comes_up_again_with_its_data(cluster: LocalCluster) -> None:
    cluster.until_ready()
    with traffic(cluster) as flowing:
        pass
    id_before = cluster.typed("kubectl get kafka my-cluster -n kafka -o jsonpath={.status.clusterId}")
    processes = sorted(cluster.processes(), key=lambda one: " guardian --home" not in one.command)
    for process in processes:
        process.kill()
    cluster.until("no process of the home is left", lambda: not cluster.processes())
    up_again(cluster, id_before, flowing.acknowledged)


def up_again(cluster: LocalCluster, id_before: str, acknowledged: set[str]) -> None:
    begun = CLOCK.monotonic()
    cluster.klamm("up", "kafka-1.yaml", "-n", "kafka", "--timeout", str(READY_WITHIN))
    print(f"{CLOCK.monotonic() - begun:6.1f} s until klamm up has ended")
    cluster.until_ready()
    assert cluster.typed("kubectl get kafka my-cluster -n kafka -o jsonpath={.status.clusterId}") == id_before
    assert acknowledged <= everything_in(bootstrap_of(cluster), TOPIC)


def test_a_newer_klamm_takes_over_a_running_home(cluster: LocalCluster, tmp_path: Path) -> None:
    """A copy of klamm that says of itself that it is newer; brokers and ZooKeepers do not notice."""
    cluster.until_ready()
    newer = tmp_path / "src"
    shutil.copytree(CHECKOUT / "src" / "klamm", newer / "klamm", ignore=shutil.ignore_patterns("__pycache__"))
    module = newer / "klamm" / "__init__.py"
    module.write_text(re.sub(r'__version__ = "[^"]*"', '__version__ = "99.0.0"', module.read_text()))
    before = identities(cluster)
    old = cluster.process_of("", "klamm.programs.control_plane")
    with traffic(cluster) as flowing:
        cluster.environment["PYTHONPATH"] = str(newer)
        try:
            cluster.klamm("up", "kafka-1.yaml", "-n", "kafka", "--timeout", str(READY_WITHIN))

            def new_control_plane() -> bool:
                found = [one for one in cluster.processes() if "klamm.programs.control_plane" in one.command]
                return len(found) == 1 and found[0].pid != old.pid

            cluster.until("the newer control plane runs", new_control_plane)
            image = "kubectl get deploy strimzi-cluster-operator -n kafka -o jsonpath={..image}"
            cluster.until("the newer operator is wanted", lambda: ":99.0.0" in cluster.typed(image))
            rollout = ("rollout", "status", "deploy/strimzi-cluster-operator", "-n", "kafka", "--timeout=150s")
            cluster.kubectl(*rollout, within=160)
            cluster.until_ready()
            assert identities(cluster) == before
        finally:
            cluster.environment["PYTHONPATH"] = str(CHECKOUT / "src")
            cluster.klamm("up", "kafka-1.yaml", "-n", "kafka", "--timeout", str(READY_WITHIN))
        assert not flowing.refused


def test_two_ups_of_a_running_home_both_end_well(cluster: LocalCluster) -> None:
    cluster.until_ready()
    before = identities(cluster)
    both = [cluster.start_klamm("up", "kafka-1.yaml", "-n", "kafka") for _ in range(2)]
    said = [one.communicate(timeout=READY_WITHIN + 60)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert identities(cluster) == before


def test_two_ups_at_the_same_time_make_one_cluster() -> None:
    with local_cluster() as cluster:
        both = [cluster.start_klamm("up") for _ in range(2)]
        said = [one.communicate(timeout=READY_WITHIN + 60)[0] for one in both]
        assert [one.returncode for one in both] == [0, 0], said
        guardians = [one for one in cluster.processes() if " guardian --home" in one.command]
        assert len(guardians) == 1
        assert cluster.kubectl("get", "nodes", "-o", "name").split() == [f"node/klamm-{index}" for index in range(3)]


# An ordinary user


ORDINARY = 1000


@pytest.fixture
def ordinary_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A user without rights, with a virtual environment and a filled cache of their own that they can read."""
    if os.geteuid() != 0:
        yield User()
        return
    with local_folder() as folder:
        python = _environment_for(folder)
        cache = folder / "cache"
        ours = Path(os.environ.get("KLAMM_CACHE") or Path.home() / ".cache" / "klamm")  # noqa: TID251 (a test's own)
        subprocess.run(["cp", "-a", str(ours), str(cache)], check=True)
        subprocess.run(["chown", "-R", f"{ORDINARY}:{ORDINARY}", str(cache)], check=True)
        yield User(python=python, cache=cache, uid=ORDINARY)


@contextmanager
def local_folder() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="klamm-user-", dir="/tmp") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def _environment_for(folder: Path) -> str:
    """A virtual environment with our libraries (as hard links or copies), of an interpreter that they may run."""
    import sys
    import sysconfig

    version = f"python3.{sys.version_info.minor}"
    usable = [one for one in (sys.executable, f"/usr/local/bin/{version}", f"/usr/bin/{version}") if _may_run(one)]
    if not usable:
        pytest.skip(f"uid {ORDINARY} can run no Python 3.{sys.version_info.minor} of this machine")
    subprocess.run([usable[0], "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    libraries = folder / "venv" / "lib" / version / "site-packages"
    shutil.rmtree(libraries)
    subprocess.run(["cp", "-a", sysconfig.get_path("purelib"), str(libraries)], check=True)
    return str(folder / "venv" / "bin" / "python")


def _may_run(program: str) -> bool:
    try:
        tried = subprocess.run(
            [program, "-c", ""], user=ORDINARY, group=ORDINARY, extra_groups=[], cwd="/", check=False
        )
    except OSError:
        return False
    return tried.returncode == 0


def test_an_ordinary_user_has_a_ready_cluster_and_a_record_through_its_listener(ordinary_user: User) -> None:
    with local_cluster(ordinary_user) as cluster:
        begun = CLOCK.monotonic()
        cluster.klamm("up", "kafka-1.yaml", "-n", "kafka", "--timeout", str(READY_WITHIN))
        print(f"{CLOCK.monotonic() - begun:6.1f} s until klamm up has ended")
        cluster.until_ready()
        with Traffic(bootstrap_of(cluster), TOPIC) as flowing:
            cluster.until("records are written and read", lambda: flowing.goes_on(10), telling=flowing.where)
            flowing.finish()
        owners = {Path(f"/proc/{one.pid}").stat().st_uid for one in cluster.processes()}
        assert owners == {ordinary_user.uid or os.geteuid()}
        pause()
