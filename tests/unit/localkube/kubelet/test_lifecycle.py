"""The life of pods on a fake node in virtual time."""

import asyncio
from pathlib import Path

from tests.builders.fake_node import Program
from tests.builders.kubelets import NAMESPACE, World, container, pod
from tests.builders.virtual_time import in_virtual_time, settle

from klamm.localkube.objects import EVENTS, PODS, Object, PullFailed


@in_virtual_time
async def test_a_bound_pod_runs_and_is_ready(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod())
        await world.until(world.is_ready, 1)
    status = world.status()
    assert status["phase"] == "Running"
    assert status["podIP"] == "10.244.0.2"
    assert status["podIPs"] == [{"ip": "10.244.0.2"}]
    assert status["hostIP"] == "127.0.0.1"
    assert status["qosClass"] == "BestEffort"
    assert {entry["type"]: entry["status"] for entry in status["conditions"]} == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
    }
    web = world.container()
    assert web["state"]["running"]["startedAt"] == "2026-03-01T12:00:00Z"
    assert (web["ready"], web["started"], web["restartCount"]) == (True, True, 0)
    assert web["containerID"] == "klamm://uid-web-0/web/0"
    assert [world.events(reason)[0]["count"] for reason in ("Pulled", "Created", "Started")] == [1, 1, 1]


@in_virtual_time
async def test_pods_of_other_nodes_are_none_of_its_business(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod("elsewhere", nodeName="other"))
        await asyncio.sleep(5)
    assert world.node.told == []


@in_virtual_time
async def test_init_containers_run_one_after_the_other_before_the_main_ones(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"first": Program([0], runs_for=1), "second": Program([0], runs_for=1)}
    async with world.running():
        world.apply(pod(initContainers=[container("first"), container("second")]))
        await world.until(lambda: world.node.running() == ["first/0"], 1)
        await settle()
        assert world.status()["phase"] == "Pending"
        assert world.waits_because() == "PodInitializing"
        assert world.condition("Initialized") == "False"
        await world.until(world.is_ready)
    starts = [told for told in world.node.told if told.startswith("start")]
    assert starts == ["start first/0", "start second/0", "start web/0"]
    assert world.container("first")["state"]["terminated"]["reason"] == "Completed"
    assert world.container("first")["ready"]


@in_virtual_time
async def test_a_failing_init_container_is_tried_again_with_back_off(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"first": Program([1, 1, 0])}
    async with world.running():
        world.apply(pod(initContainers=[container("first")]))
        took = await world.until(world.is_ready)
    assert 10 <= took < 11
    assert world.container("first")["restartCount"] == 2


@in_virtual_time
async def test_a_pod_that_never_restarts_fails_with_its_init_container(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"first": Program([3])}
    async with world.running():
        world.apply(pod(restartPolicy="Never", initContainers=[container("first")]))
        await world.until(lambda: world.status().get("phase") == "Failed", 5)
    assert "start web/0" not in world.node.told


@in_virtual_time
async def test_a_sidecar_starts_before_the_main_container_and_ends_after_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"web": Program([0], runs_for=3)}
    async with world.running():
        world.apply(pod(restartPolicy="Never", initContainers=[container("proxy", restartPolicy="Always")]))
        await world.until(lambda: world.node.running() == ["proxy/0", "web/0"], 2)
        await world.until(lambda: world.status().get("phase") == "Succeeded", 10)
    told = world.node.told
    assert told.index("start proxy/0") < told.index("start web/0") < told.index("signal 15 proxy/0")


@in_virtual_time
async def test_restarts_are_immediate_then_wait_ten_seconds_then_twenty(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"web": Program([1, 1, 1])}
    async with world.running():
        world.apply(pod())
        await world.until(lambda: "start web/1" in world.node.told, 1)
        await world.until(lambda: world.waits_because() == "CrashLoopBackOff", 1)
        web = world.container()
        assert web["state"]["waiting"]["message"] == (
            "back-off 10s restarting failed container=web pod=web-0_kafka(uid-web-0)"
        )
        assert web["lastState"]["terminated"]["exitCode"] == 1
        assert await world.until(lambda: "start web/2" in world.node.told, 11) > 9
        assert await world.until(lambda: "start web/3" in world.node.told, 21) > 19
        await world.until(world.is_ready, 1)
    assert world.container()["restartCount"] == 3
    assert world.container()["lastState"]["terminated"]["containerID"] == "klamm://uid-web-0/web/2"
    assert world.events("BackOff")[0]["count"] == 2


@in_virtual_time
async def test_on_failure_a_container_that_succeeds_is_done(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"web": Program([1, 0])}
    async with world.running():
        world.apply(pod(restartPolicy="OnFailure"))
        await world.until(lambda: world.status().get("phase") == "Succeeded", 5)
    assert world.container()["restartCount"] == 1
    assert world.condition("Ready") == "False"


@in_virtual_time
async def test_deletion_asks_the_program_to_end_and_lets_the_object_go(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod(volumes=[{"name": "tmp", "emptyDir": {}}]))
        await world.until(world.is_ready)
        world.objects.delete(PODS, NAMESPACE, "web-0")
        took = await world.until(lambda: not world.exists(), 5)
        await asyncio.sleep(1)
    assert took < 1
    assert world.node.told[-2:] == ["signal 15 web/0", "remove sandbox web-0"]
    assert world.node.containers == {}
    assert not (tmp_path / "pods" / "uid-web-0").exists()
    assert not list((tmp_path / "logs").iterdir())
    assert world.events("Killing")[0]["message"] == "Stopping container web"


@in_virtual_time
async def test_a_program_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"web": Program(ends_after_term=None)}
    async with world.running():
        world.apply(pod(terminationGracePeriodSeconds=7))
        await world.until(world.is_ready)
        world.objects.delete(PODS, NAMESPACE, "web-0")
        took = await world.until(lambda: not world.exists())
    assert 7 <= took < 7.5
    assert "signal 9 web/0" in world.node.told


@in_virtual_time
async def test_a_more_impatient_deletion_shortens_the_grace(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"web": Program(ends_after_term=None)}
    async with world.running():
        world.apply(pod(terminationGracePeriodSeconds=600))
        await world.until(world.is_ready)
        world.objects.delete(PODS, NAMESPACE, "web-0")
        await asyncio.sleep(2)
        world.objects.delete(PODS, NAMESPACE, "web-0", grace_seconds=3)
        took = await world.until(lambda: not world.exists())
    assert 2 < took < 4


@in_virtual_time
async def test_a_pod_of_the_same_name_waits_until_the_old_one_has_ended(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"web": Program(ends_after_term=None)}
    async with world.running():
        world.apply(pod())
        await world.until(world.is_ready)
        world.objects.delete(PODS, NAMESPACE, "web-0", grace_seconds=0)
        young = pod()
        young["metadata"]["uid"] = "uid-young"
        world.apply(young)
        await world.until(lambda: world.is_ready(), 10)
    told = [entry for entry in world.node.told if entry != "create sandbox web-0"]
    assert told == ["start web/0", "signal 15 web/0", "signal 9 web/0", "remove sandbox web-0", "start web/0"]


@in_virtual_time
async def test_pre_stop_runs_before_sigterm_and_counts_against_the_grace(tmp_path: Path) -> None:
    world = World(tmp_path)
    hook = {"preStop": {"exec": {"command": ["/bin/drain"]}}}
    async with world.running():
        world.apply(pod("web-0", container(lifecycle=hook)))
        await world.until(world.is_ready)
        world.objects.delete(PODS, NAMESPACE, "web-0")
        await world.until(lambda: not world.exists(), 5)
    assert [command for _, _, command in world.node.executed] == [("/bin/drain",)]


WAVES = {"broker": 1, "keeper": 2}


def placed(name: str, **spec: object) -> Object:
    """A pod whose container and place in the order bear its name."""
    made = pod(name, container(name), **spec)
    made["metadata"]["labels"] = {"role": name}
    return made


@in_virtual_time
async def test_of_pods_that_are_deleted_together_the_later_wave_is_asked_when_the_earlier_has_ended(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, stop_wave=lambda labels: WAVES.get(labels.get("role", ""), 0))
    world.node.programs = {"broker": Program(ends_after_term=3), "other": Program(ends_after_term=None)}
    async with world.running():
        for name in ("keeper", "broker", "other"):
            world.apply(placed(name))
        await world.until(lambda: all(world.is_ready(name) for name in ("keeper", "broker", "other")))
        for name in ("keeper", "other", "broker"):
            world.objects.delete(PODS, NAMESPACE, name)
        took = await world.until(lambda: not world.exists("keeper"))
    signals = [entry for entry in world.node.told if entry.startswith("signal 15")]
    assert signals[-1] == "signal 15 keeper/0"
    assert 3 < took < 4, "nobody waits for a pod without a place in the order"


@in_virtual_time
async def test_a_pod_does_not_wait_longer_than_its_grace_for_those_before_it(tmp_path: Path) -> None:
    world = World(tmp_path, stop_wave=lambda labels: WAVES.get(labels.get("role", ""), 0))
    world.node.programs = {"broker": Program(ends_after_term=None)}
    async with world.running():
        for name in ("keeper", "broker"):
            world.apply(placed(name, terminationGracePeriodSeconds=5 if name == "keeper" else 60))
        await world.until(lambda: world.is_ready("keeper") and world.is_ready("broker"))
        for name in ("keeper", "broker"):
            world.objects.delete(PODS, NAMESPACE, name)
        took = await world.until(lambda: not world.exists("keeper"))
    assert 5 <= took < 6


@in_virtual_time
async def test_alone_a_pod_of_a_later_wave_ends_at_once(tmp_path: Path) -> None:
    world = World(tmp_path, stop_wave=lambda labels: WAVES.get(labels.get("role", ""), 0))
    async with world.running():
        for name in ("keeper", "broker"):
            world.apply(placed(name))
        await world.until(lambda: world.is_ready("keeper") and world.is_ready("broker"))
        world.objects.delete(PODS, NAMESPACE, "keeper")
        took = await world.until(lambda: not world.exists("keeper"))
    assert took < 0.5


@in_virtual_time
async def test_a_failed_post_start_hook_restarts_the_container(tmp_path: Path) -> None:
    world = World(tmp_path)
    answers = iter([(1, b"no"), (0, b"")])
    world.node.answer = lambda container, command: next(answers)
    async with world.running():
        world.apply(pod("web-0", container(lifecycle={"postStart": {"exec": {"command": ["/bin/up"]}}})))
        await world.until(world.is_ready, 5)
    assert world.container()["restartCount"] == 1
    assert world.events("FailedPostStartHook")


@in_virtual_time
async def test_a_killed_control_plane_restarts_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod())
        await world.until(world.is_ready)
    before = list(world.node.told)
    async with world.running():
        await asyncio.sleep(30)
        assert world.is_ready()
        assert world.node.told == before
        world.node.end("web", 1)
        await world.until(lambda: "start web/1" in world.node.told, 1)


@in_virtual_time
async def test_what_ended_meanwhile_is_restarted_and_what_was_deleted_is_ended(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        for name in ("crashes", "deleted", "vanishes"):
            world.apply(pod(name, container(name)))
            await world.until(lambda name=name: world.is_ready(name))  # type: ignore[misc]
    world.node.end("crashes", 1)
    world.objects.delete(PODS, NAMESPACE, "deleted")
    world.objects.delete(PODS, NAMESPACE, "vanishes", grace_seconds=0)
    async with world.running():
        await world.until(lambda: world.node.running() == ["crashes/1"], 5)
        await world.until(lambda: not world.exists("deleted"), 5)
        await world.until(lambda: len(world.node.sandboxes) == 1, 5)


@in_virtual_time
async def test_after_the_machine_was_restarted_pods_begin_anew(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"first": Program([0, 0])}
    async with world.running():
        world.apply(pod(initContainers=[container("first")]))
        await world.until(world.is_ready)
    world.node.lose_everything()
    async with world.running():
        await world.until(lambda: world.node.running() == ["web/1"], 5)
        await world.until(world.is_ready, 5)
    assert world.node.told.count("start first/1") == 1
    web = world.container()
    assert web["restartCount"] == 1
    assert web["lastState"]["terminated"]["reason"] == "ContainerStatusUnknown"


@in_virtual_time
async def test_a_node_that_was_away_is_asked_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod())
        await world.until(world.is_ready)
        world.node.lose_everything()
        world.node.cut_off()
        await world.until(lambda: world.node.running() == ["web/1"], 5)


@in_virtual_time
async def test_an_unknown_image_is_answered_with_the_names_there_are(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod("web-0", container(image="nginx")))
        await world.until(lambda: world.waits_because() == "ErrImagePull", 1)
        assert "web:1, web:2" in world.container()["state"]["waiting"]["message"]
        await world.until(lambda: world.waits_because() == "ImagePullBackOff", 2)
        assert "names in a table" in world.events("Failed")[0]["message"]
        world.images.table["nginx"] = world.images.table["web:1"]
        await world.until(world.is_ready, 30)


@in_virtual_time
async def test_a_pull_that_fails_is_tried_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.images.failures = [PullFailed("no network")]
    async with world.running():
        world.apply(pod())
        await world.until(lambda: "no network" in str(world.container().get("state")), 1)
        await world.until(world.is_ready, 5)


@in_virtual_time
async def test_a_pod_can_be_deleted_while_its_image_is_pulled(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.images.slow = {"web:1": 1000}
    async with world.running():
        world.apply(pod())
        await world.until(lambda: world.events("Pulling"), 2)
        world.objects.delete(PODS, NAMESPACE, "web-0")
        await world.until(lambda: not world.exists(), 2)


@in_virtual_time
async def test_a_program_that_cannot_be_started_says_why_and_backs_off(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"web": Program(missing=True)}
    async with world.running():
        world.apply(pod())
        await world.until(lambda: world.waits_because() == "CrashLoopBackOff", 5)
        ended = world.container()["lastState"]["terminated"]
        assert (ended["exitCode"], ended["reason"], ended["message"]) == (
            128,
            "StartError",
            "/bin/web: no such program",
        )


@in_virtual_time
async def test_a_sandbox_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.sandbox_trouble = ["no addresses left"]
    async with world.running():
        world.apply(pod())
        await world.until(world.is_ready, 5)
    assert "no addresses left" in world.events("FailedCreatePodSandBox")[0]["message"]


@in_virtual_time
async def test_a_pod_over_its_deadline_fails(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod(activeDeadlineSeconds=20))
        await world.until(world.is_ready)
        took = await world.until(lambda: world.status()["phase"] == "Failed")
    assert 19 <= took < 22
    assert world.status()["reason"] == "DeadlineExceeded"


@in_virtual_time
async def test_an_idle_pod_writes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod())
        await world.until(world.is_ready)
        await asyncio.sleep(1)
        before = len(world.objects.writes)
        await asyncio.sleep(3600)
    assert world.objects.writes[before:] == []
    assert len([write for write in world.objects.writes if write[:2] == ("patch", "Pod")]) <= 4


@in_virtual_time
async def test_a_readiness_gate_holds_the_pod_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod(readinessGates=[{"conditionType": "example.com/fit"}]))
        await world.until(lambda: world.condition("ContainersReady") == "True", 5)
        assert not world.is_ready()
        gate = {"type": "example.com/fit", "status": "True"}
        status = {"status": {"conditions": [*world.status()["conditions"], gate]}}
        world.objects.patch(PODS, NAMESPACE, "web-0", status, subresource="status")
        await world.until(world.is_ready, 5)
    assert world.condition("example.com/fit") == "True"


@in_virtual_time
async def test_an_event_that_repeats_is_counted(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"web": Program([1, 1])}
    async with world.running():
        world.apply(pod())
        await world.until(lambda: "start web/2" in world.node.told)
        await settle()
    started = [event for event in world.objects.list(EVENTS) if event["reason"] == "Created"]
    assert [event["count"] for event in started] == [3]
    assert started[0]["involvedObject"]["fieldPath"] == "spec.containers{web}"


@in_virtual_time
async def test_a_changed_image_restarts_the_container_with_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod())
        await world.until(world.is_ready)
        changed = {"spec": {"containers": [container(image="web:2")]}}
        world.objects.patch(PODS, NAMESPACE, "web-0", changed)
        await world.until(lambda: world.node.running() == ["web/1"], 5)
        await world.until(world.is_ready, 1)
    assert world.container()["image"] == "web:2"
    assert world.events("Killing")[0]["message"] == "Container web definition changed, will be restarted"


@in_virtual_time
async def test_a_pod_that_is_held_by_a_finalizer_is_ended_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    held = pod()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    async with world.running():
        world.apply(held)
        await world.until(world.is_ready)
        world.objects.delete(PODS, NAMESPACE, "web-0")
        await world.until(lambda: not world.node.sandboxes, 5)
        await asyncio.sleep(60)
        assert world.node.told.count("start web/0") == 1
        world.objects.patch(PODS, NAMESPACE, "web-0", {"metadata": {"labels": {"a": "b"}}})
        await asyncio.sleep(60)
    assert len(world.node.told) == 4


@in_virtual_time
async def test_a_node_that_cannot_be_reached_is_asked_once_a_second(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.unreachable_starts = 3
    async with world.running():
        world.apply(pod())
        await world.until(lambda: world.waits_because() == "RunContainerError", 2)
        took = await world.until(world.is_ready, 10)
    assert 2 < took < 4


@in_virtual_time
async def test_a_replaced_node_begins_all_pods_anew_without_back_off(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"first": Program([0, 0])}
    async with world.running():
        world.apply(pod(initContainers=[container("first")]))
        world.apply(pod("web-1", container("other")))
        await world.until(lambda: world.is_ready() and world.is_ready("web-1"))
        world.node.replace_node()
        await world.until(lambda: world.node.running() == ["other/1", "web/1"], 3)
        await world.until(lambda: world.is_ready() and world.is_ready("web-1"), 3)
    assert world.node.told.count("start first/1") == 1
    assert world.container()["lastState"]["terminated"]["exitCode"] == 137
