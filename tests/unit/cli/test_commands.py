"""Commands against an API that says what a script tells it to: what is asked, printed, said, and returned."""

import json
from pathlib import Path

import pytest
import yaml
from tests.builders.commands import CORE, DISCOVERED, STRIMZI, context, kinds, served
from tests.builders.scripted_api import Pause, answer, event, listed, pod, status

from klamm.cli import apply, delete, get, importing, kubeconfig, logs
from klamm.cli.applying import warnings_of
from klamm.cli.arguments import read
from klamm.cli.delete import split_target
from klamm.cli.errors import Complaint, Mistake, NotFound, NotRunning, Unfinished
from klamm.kube.exchange import Response

GONE = status(404, "NotFound", "not found")


def kafka(name: str = "my-cluster", generation: int = 1) -> dict[str, object]:
    return {
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "Kafka",
        "metadata": {"name": name, "namespace": "kafka", "generation": generation, "uid": "u", "resourceVersion": "7"},
        "spec": {"kafka": {}},
    }


def table(*rows: tuple[str, str]) -> dict[str, object]:
    columns = [{"name": "Name", "priority": 0}, {"name": "Ready", "priority": 0}, {"name": "Node", "priority": 1}]
    return {
        "kind": "Table",
        "columnDefinitions": columns,
        "rows": [{"cells": [name, ready, "n"], "object": {"metadata": {"namespace": "kafka"}}} for name, ready in rows],
    }


# get


def test_get_shows_the_server_s_columns(tmp_path: Path) -> None:
    scene = context(tmp_path, "text", *DISCOVERED, answer(table(("my-cluster", "True"), ("other", "False"))))
    assert get.run(scene, read(["get", "kafka", "-n", "kafka"])) == 0
    assert scene.printed == "NAME         READY\nmy-cluster   True\nother        False\n"
    assert scene.api.requests[-1].accept.startswith("application/json;as=Table")
    assert scene.api.told[-1] == "GET /apis/kafka.strimzi.io/v1beta2/namespaces/kafka/kafkas"


def test_get_of_all_namespaces_says_which(tmp_path: Path) -> None:
    scene = context(tmp_path, "wide", *DISCOVERED, answer(table(("my-cluster", "True"))))
    get.run(scene, read(["get", "k", "-A", "-o", "wide"]))
    assert scene.printed.splitlines() == ["NAMESPACE   NAME         READY   NODE", "kafka       my-cluster   True    n"]


def test_get_of_nothing_is_no_error(tmp_path: Path) -> None:
    scene = context(tmp_path, "text", *DISCOVERED, answer(table()))
    assert get.run(scene, read(["get", "kafka", "-n", "kafka"])) == 0
    assert (scene.printed, scene.said) == ("", "there are no kafkas in namespace kafka\n")


def test_get_of_a_name_that_is_not_there_fails(tmp_path: Path) -> None:
    scene = context(tmp_path, "text", *DISCOVERED, GONE, GONE)
    with pytest.raises(NotFound, match="there is no Kafka nope in kafka"):
        get.run(scene, read(["get", "kafka/nope", "-n", "kafka"]))


def test_get_one_as_yaml_leaves_out_who_set_what(tmp_path: Path) -> None:
    obj = kafka()
    obj["metadata"]["managedFields"] = [{"manager": "m"}]  # type: ignore[index]
    scene = context(tmp_path, "yaml", *DISCOVERED, answer(obj))
    get.run(scene, read(["get", "kafka", "my-cluster", "-n", "kafka", "-o", "yaml"]))
    assert yaml.safe_load(scene.printed) == kafka()


def test_get_many_as_json_is_a_list_with_kinds(tmp_path: Path) -> None:
    scene = context(tmp_path, "json", *DISCOVERED, listed([{"metadata": {"name": "a"}}], 5))
    get.run(scene, read(["get", "kafka", "-n", "kafka", "-o", "json"]))
    found = json.loads(scene.printed)
    assert (found["kind"], found["items"][0]["kind"]) == ("List", "Kafka")


def test_get_names_are_for_other_commands(tmp_path: Path) -> None:
    scene = context(tmp_path, "name", *DISCOVERED, listed([{"metadata": {"name": "a"}}], 5))
    get.run(scene, read(["get", "kafka", "-n", "kafka", "-o", "name"]))
    assert scene.printed == "kafka.kafka.strimzi.io/a\n"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("get kafka/a b", "write KIND NAME… or one KIND/NAME"),
        ("get kafka a -A", "say which with -n instead of -A"),
        ("get kafka a -l x=y", "give names or a selector"),
    ],
)
def test_get_refuses_what_has_no_meaning(typed: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=said):
        get.run(context(tmp_path), read(typed.split()))


# apply

MANIFEST = "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: my-cluster}\nspec: {kafka: {}}\n"


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (GONE, answer(kafka(), 201), "created"),
        (answer(kafka()), answer(kafka()), "unchanged"),
        (answer(kafka()), answer(kafka(generation=2)), "configured"),
        (answer({**kafka(), "status": {"a": 1}}), answer({**kafka(), "status": {"a": 2}}), "unchanged"),
    ],
)
def test_apply_says_what_it_changed(before: Response, after: Response, change: str, tmp_path: Path) -> None:
    scene = context(tmp_path, "text", STRIMZI, before, after, stdin=MANIFEST)
    assert apply.run(scene, read(["apply", "-", "-n", "kafka"])) == 0
    assert scene.printed == f"kafka.kafka.strimzi.io/my-cluster {change}\n"
    assert scene.api.requests[-1].method == "PATCH"


def test_apply_passes_warnings_on(tmp_path: Path) -> None:
    warned = answer(kafka(), Warning='299 - "unknown field \\"spec.x\\"", 299 - "second"')
    scene = context(tmp_path, "text", STRIMZI, GONE, warned, stdin=MANIFEST)
    apply.run(scene, read(["apply", "-", "-n", "kafka"]))
    assert scene.said == 'warning: -: unknown field "spec.x"\nwarning: -: second\n'


def test_apply_tries_every_manifest_and_fails_in_the_end(tmp_path: Path) -> None:
    refused = status(422, "Invalid", "spec.kafka.replicas: must be 1 or more")
    scene = context(
        tmp_path, "text", STRIMZI, GONE, refused, GONE, answer(kafka("b")), stdin=f"{MANIFEST}---\n{MANIFEST}"
    )
    with pytest.raises(Mistake, match=r"document 1: apply Kafka my-cluster: spec.kafka.replicas: must be 1 or more"):
        apply.run(scene, read(["apply", "-", "-n", "kafka"]))
    assert "my-cluster created" in scene.printed


def test_a_dry_run_writes_nothing_and_says_so(tmp_path: Path) -> None:
    scene = context(tmp_path, "text", STRIMZI, GONE, answer(kafka()), stdin=MANIFEST)
    apply.run(scene, read(["apply", "-", "-n", "kafka", "--dry-run"]))
    assert "dryRun=All" in scene.api.told[-1]
    assert scene.printed.endswith("created (dry run)\n")


def test_a_kind_that_is_not_served_is_a_mistake(tmp_path: Path) -> None:
    scene = context(tmp_path, "text", kinds(served("kafkatopics", "KafkaTopic")), stdin=MANIFEST)
    with pytest.raises(Mistake, match=r"kind Kafka of kafka.strimzi.io/v1beta2 is not known here"):
        apply.run(scene, read(["apply", "-", "-n", "kafka"]))


def test_apply_needs_files(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="apply what"):
        apply.run(context(tmp_path), read(["apply"]))


@pytest.mark.parametrize(
    ("header", "texts"),
    [("", ()), ('299 - "a"', ("a",)), ('299 - "a, b", 299 kube "c"', ("a, b", "c"))],
)
def test_warning_headers(header: str, texts: tuple[str, ...]) -> None:
    assert warnings_of(header) == texts


# delete


def test_delete_waits_until_the_object_is_gone(tmp_path: Path) -> None:
    scene = context(tmp_path, "text", *DISCOVERED, answer({}), answer(kafka()))
    scene.api.watches([event("MODIFIED", kafka()), event("DELETED", kafka())])
    assert delete.run(scene, read(["delete", "kafka", "my-cluster", "-n", "kafka"])) == 0
    assert scene.printed == "kafka.kafka.strimzi.io/my-cluster deleted\n"
    assert "fieldSelector=metadata.name%3Dmy-cluster" in scene.api.told[-1]


def test_a_successor_of_the_same_name_is_not_waited_for(tmp_path: Path) -> None:
    scene = context(tmp_path, "text", *DISCOVERED, answer({}), answer(kafka()))
    successor = kafka()
    successor["metadata"]["uid"] = "another"  # type: ignore[index]
    scene.api.watches([event("ADDED", successor), Pause(1e9)])
    assert delete.run(scene, read(["delete", "kafka/my-cluster", "-n", "kafka"])) == 0


def test_delete_says_which_finalizer_holds_an_object(tmp_path: Path) -> None:
    held = kafka()
    held["metadata"]["finalizers"] = ["strimzi.io/topic-operator"]  # type: ignore[index]
    scene = context(tmp_path, "text", *DISCOVERED, answer({}), answer(held), answer(held))
    with pytest.raises(Unfinished, match=r"waits for its finalizers \(strimzi.io/topic-operator\)"):
        delete.run(scene, read(["delete", "kafka/my-cluster", "-n", "kafka", "--timeout", "0.05"]))


def test_delete_of_what_was_not_there_fails(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"there was no kafka.kafka.strimzi.io/x in kafka"):
        delete.run(context(tmp_path, "text", *DISCOVERED, GONE), read(["delete", "kafka", "x", "-n", "kafka"]))


@pytest.mark.parametrize(
    ("target", "files", "words"),
    [
        (["a.yaml", "b.json"], ["a.yaml", "b.json"], []),
        (["-"], ["-"], []),
        (["kafka", "a", "b"], [], [("kafka", ["a", "b"])]),
        (["kafka/a", "kt/b"], [], [("kafka", ["a"]), ("kt", ["b"])]),
        ([], [], []),
    ],
)
def test_what_to_delete(target: list[str], files: list[str], words: list[tuple[str, list[str]]]) -> None:
    assert split_target(target) == (files, words)


def test_a_kind_alone_deletes_nothing() -> None:
    with pytest.raises(Mistake, match="which one"):
        split_target(["kafka"])


# logs, kubeconfig, import


def ready_pod(name: str, *containers: str) -> dict[str, object]:
    made = pod(name, 3)
    made["spec"] = {"containers": [{"name": one} for one in containers]}
    made["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return made


def test_logs_take_the_first_container_and_say_so(tmp_path: Path) -> None:
    scene = context(tmp_path, "text", answer(ready_pod("p", "topic-operator", "user-operator")))
    scene.api.watches(answer({"a": 1}))
    assert logs.run(scene, read(["logs", "p", "-n", "kafka", "--tail", "3"])) == 0
    assert scene.api.told[-1] == "GET /api/v1/namespaces/kafka/pods/p/log?container=topic-operator&tailLines=3"
    assert scene.said == "container topic-operator of p; with -c also: user-operator\n"
    assert scene.printed == '{"a": 1}'


def test_logs_of_a_deployment_are_those_of_a_pod_that_is_ready(tmp_path: Path) -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"matchLabels": {"a": "b"}}}}
    waiting = {**ready_pod("a", "c"), "status": {"phase": "Pending"}}
    apps = kinds(served("deployments", "Deployment", "deploy"))
    answers = [DISCOVERED[0], CORE, STRIMZI, apps, answer(deployment), listed([waiting, ready_pod("b", "c")], 3)]
    scene = context(tmp_path, "text", *answers)
    scene.api.watches(answer({}))
    logs.run(scene, read(["logs", "deploy/x", "-n", "kafka"]))
    assert "labelSelector=a%3Db" in scene.api.told[-2]
    assert "/pods/b/log" in scene.api.told[-1]


@pytest.mark.parametrize(
    ("typed", "answers", "complaint", "said"),
    [
        ("logs p -c x", [answer(ready_pod("p", "kafka"))], NotFound, "has no container x; it has kafka"),
        ("logs p", [GONE], NotFound, "there is no Pod p in kafka"),
        ("logs p --tail -1", [], Mistake, "a number of lines is 0 or more"),
        ("logs p -o json", [], Mistake, "a log is text"),
    ],
)
def test_logs_complain(
    typed: str,
    answers: list[Response],
    complaint: type[Complaint],
    said: str,
    tmp_path: Path,
) -> None:
    with pytest.raises(complaint, match=said):
        logs.run(context(tmp_path, "text", *answers), read([*typed.split(), "-n", "kafka"]))


def test_kubeconfig_needs_a_cluster_and_prints_only_the_path(tmp_path: Path) -> None:
    scene = context(tmp_path)
    with pytest.raises(NotRunning, match="start one with `klamm up`"):
        kubeconfig.run(scene, read(["kubeconfig"]))
    scene.home.make()
    scene.home.kubeconfig.write_text("kind: Config\n")
    assert kubeconfig.run(scene, read(["kubeconfig"])) == 0
    assert kubeconfig.run(scene, read(["kubeconfig", "--content"])) == 0
    assert scene.printed == f"{scene.home.kubeconfig}\nkind: Config\n"


@pytest.mark.parametrize(
    ("typed", "answers", "complaint", "said"),
    [
        ("import topics", [listed([], 1)], NotFound, "there is no Kafka resource in kafka"),
        ("import topics", [listed([kafka("a"), kafka("b")], 1)], Mistake, r"several clusters \(a, b\)"),
        ("import topics --cluster c", [listed([kafka("a")], 1)], NotFound, "there is no Kafka c in kafka; there is a"),
        ("import topics", [listed([kafka("a")], 1), listed([], 1)], Mistake, "has no topic operator"),
    ],
)
def test_import_complains(
    typed: str,
    answers: list[Response],
    complaint: type[Complaint],
    said: str,
    tmp_path: Path,
) -> None:
    with pytest.raises(complaint, match=said):
        importing.run(context(tmp_path, "text", *answers), read([*typed.split(), "-n", "kafka"]))
