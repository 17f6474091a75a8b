"""The real kubectl against our API server alone (no controllers): the daily verbs, by what they print."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.builders.api_server import RunningApi, running_api
from tests.builders.fake_streams import FakeStreams

from klamm.localkube.apiserver import patches
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import PODS

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on this machine")

SECONDS = 120.0
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: c, image: "x:1", ports: [{containerPort: 80}]}]}
"""
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.ex.io}
spec:
  group: ex.io
  names: {kind: Foo, plural: foos, shortNames: [fo], categories: [all]}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What the foo should be.
            required: [size]
            properties:
              size: {type: integer, minimum: 1, description: How large the foo is.}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
FOO = "apiVersion: ex.io/v1\nkind: Foo\nmetadata: {name: f}\nspec: {size: 2}\n"


class Kubectl:
    def __init__(self, api: RunningApi, home: Path) -> None:
        self.api = api
        self._home = home

    async def __call__(self, *arguments: str, given: str = "", fails: bool = False) -> str:
        """What it prints; it must succeed, or fail when that is expected."""
        environment = {
            "KUBECONFIG": str(self.api.kubeconfig),
            "HOME": str(self._home),
            "PATH": os.environ["PATH"],  # noqa: TID251 (a test starts the machine's kubectl)
        }
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "kubectl", *arguments, env=environment, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(SECONDS):
            output, _ = await process.communicate(given.encode())
        text = output.decode()
        assert (process.returncode != 0) is fails, f"kubectl {' '.join(arguments)}: {text}"
        return text


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    async with running_api(tmp_path, FakeStreams(b"hello\n", 5)) as api:
        yield Kubectl(api, tmp_path)


async def test_namespaces_and_configuration(kubectl: Kubectl) -> None:
    assert "namespace/kafka created" in await kubectl("create", "namespace", "kafka")
    await kubectl("create", "configmap", "c", "--from-literal=a=b", "-n", "kafka")
    await kubectl("create", "secret", "generic", "s", "--from-literal=a=b", "-n", "kafka")
    shown = await kubectl("get", "cm,secret", "-n", "kafka")
    assert "configmap/c   1 " in shown
    assert "secret/s   Opaque   1 " in shown
    described = await kubectl("describe", "cm", "c", "-n", "kafka")
    assert "a:\n----\nb" in described


async def test_apply_in_both_ways(kubectl: Kubectl) -> None:
    assert "created" in await kubectl("apply", "-f", "-", given=DEPLOYMENT)
    assert "unchanged" in await kubectl("apply", "-f", "-", given=DEPLOYMENT)
    assert "configured" in await kubectl("apply", "-f", "-", given=DEPLOYMENT.replace("x:1", "x:2"))
    assert "serverside-applied" in await kubectl("apply", "--server-side", "-f", "-", given=DEPLOYMENT)
    assert await kubectl("get", "deploy", "d", "-o", "jsonpath={.spec.template.spec.containers[0].image}") == "x:1"
    changed = await kubectl("diff", "-f", "-", given=DEPLOYMENT.replace("x:1", "x:3"), fails=True)
    assert "+      - image: x:3" in changed
    wrong = await kubectl("apply", "-f", "-", given=DEPLOYMENT.replace("image:", "imagee:"), fails=True)
    assert 'unknown field "spec.template.spec.containers[0].imagee"' in wrong


async def test_changing_verbs(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", given=DEPLOYMENT)
    await kubectl("scale", "deploy", "d", "--replicas=3")
    await kubectl("label", "deploy", "d", "x=y")
    await kubectl("annotate", "deploy", "d", "note=this")
    await kubectl("set", "image", "deploy/d", "c=x:9")
    await kubectl("patch", "deploy", "d", "-p", '{"spec":{"minReadySeconds":7}}')
    await kubectl("patch", "deploy", "d", "--type=json", "-p", '[{"op":"remove","path":"/spec/paused"}]', fails=True)
    shown = await kubectl("get", "deploy", "-o", "wide", "--show-labels")
    assert "d      0/3" in shown
    assert "x:9" in shown
    assert "x=y" in shown
    await kubectl("expose", "deploy", "d", "--port=80", "--type=NodePort")
    assert "NodePort" in await kubectl("get", "svc")
    described = await kubectl("describe", "deploy", "d")
    assert "Image:         x:9" in described


async def test_custom_resources(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", given=DEFINITION)
    await kubectl("wait", "--for=condition=Established", "crd/foos.ex.io", "--timeout=60s")
    assert "foos.ex.io" in await kubectl("get", "crd")
    assert "created" in await kubectl("apply", "-f", "-", given=FOO)
    assert (await kubectl("get", "fo")).split() == ["NAME", "SIZE", "READY", "f", "2"]
    assert "How large the foo is." in await kubectl("explain", "foo.spec.size")
    wrong = await kubectl("apply", "-f", "-", given=FOO.replace("size: 2", "size: 0"), fails=True)
    assert "spec.size in body should be greater than or equal to 1" in wrong
    await kubectl("delete", "crd", "foos.ex.io")
    assert "the server could not find the requested resource" in await kubectl("get", "foos", fails=True)


async def test_explain_and_resources(kubectl: Kubectl) -> None:
    assert "containerPort\t<integer> -required-" in await kubectl("explain", "pod.spec.containers.ports")
    listed = await kubectl("api-resources", "--namespaced=true", "-o", "name")
    assert {"pods", "deployments.apps", "endpointslices.discovery.k8s.io"} <= set(listed.split())
    assert "yes" in await kubectl("auth", "can-i", "create", "pods")
    assert "admin" in await kubectl("auth", "whoami")


async def test_pods_logs_and_exec(kubectl: Kubectl) -> None:
    await kubectl("run", "p", "--image=x:1", '--overrides={"spec":{"nodeName":"n"}}')
    registry = kubectl.api.registry
    running = {"status": {"phase": "Running", "podIP": "10.244.0.2"}}
    registry.patch(registry.kind_of(PODS), "default", "p", patches.Merge(running), WriteOptions("kubelet", "status"))
    assert "10.244.0.2" in await kubectl("get", "pod", "-o", "wide")
    assert await kubectl("logs", "p") == "default/p/p tail=None\n"
    said = await kubectl("exec", "-i", "p", "--", "sh", given="words\n", fails=True)
    assert said.startswith("hello\nwords\n")
    assert "command terminated with exit code 5" in said
    assert 'pod "p" deleted' in await kubectl("delete", "pod", "p", "--wait=false")
