"""kubectl's daily verbs say the same, and end alike, on localkube and on a real kube-apiserver.

kubectl.yaml holds the cases: commands in their order, each with what it is given on its standard input. Beside it may
stand `editor` (a script of sed that $EDITOR is), `only` (words: of the lines, those that begin with one of them count)
and `until` (the command is repeated until it ends so, as OpenAPI of new kinds comes a moment later).
"""

import asyncio
import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from tests.builders.api_server import running_api
from tests.conformance.transcripts import differences
from tests.kubernetes.control_plane import ControlPlane

from klamm.base.together import side_by_side
from klamm.localkube.objects import Streams

ENDS_WITHIN = 120.0
_HERE = Path(__file__).parent
CASES = yaml.safe_load((_HERE / "kubectl.yaml").read_text())
_VARYING = (
    (re.compile(r"https://127\.0\.0\.1:\d+|127\.0\.0\.1:\d+"), "<server>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"), "<date>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000( UTC)?"), "<time>"),
    (re.compile(r'(resourceVersion"?: *"?|Resource Version: +)\d+'), r"\1<version>"),
    (re.compile(r"/tmp/\S+"), "<file>"),
    (re.compile(r"\b10\.96\.\d+\.\d+\b"), "<address>"),
    (re.compile(r"kube-api-access-\w{5}"), "kube-api-access-<random>"),
    (re.compile(r"^eyJ[\w.-]+$", re.MULTILINE), "<token>"),
    (re.compile(r"[EW]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ "), "<log> "),
    (re.compile(r"\b\d{1,2}s\b"), "<seconds>"),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(frozen=True)
class Kubectl:
    kubeconfig: Path
    home: Path
    """Its caches: of discovery there is one for each server."""
    namespace: str

    async def run(self, written: Mapping[str, Any]) -> Any:
        """{exit, out, err} of one command, without what differs from run to run."""
        (command,) = (key for key in written if key not in ("editor", "only", "until"))
        given = written[command]
        body = "" if given is None else yaml.safe_dump(given)
        arguments = shlex.split(self._filled(command))
        if "-p" in arguments:
            arguments = _patch_whole(self._filled(command))
        said = await self._ended(arguments, self._filled(body), written.get("editor", ""))
        wanted = written.get("until")
        async with asyncio.timeout(ENDS_WITHIN):
            while wanted is not None and said["exit"] != wanted:
                await asyncio.sleep(0.1)
                said = await self._ended(arguments, self._filled(body), "")
        only = tuple(written.get("only", "").split())
        return {**said, "out": [line for line in said["out"] if not only or line.strip().startswith(only)]}

    def _filled(self, text: str) -> str:
        return text.replace("{ns}", self.namespace)

    async def _ended(self, arguments: list[str], body: str, script: str) -> dict[str, Any]:
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.home)}  # noqa: TID251
        if script:
            environment["KUBE_EDITOR"] = str(self._editor(script))
        process = await asyncio.create_subprocess_exec(
            "kubectl",
            f"--cache-dir={self.home / 'cache'}",
            f"--namespace={self.namespace}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                out, err = await process.communicate(body.encode())
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        return {"exit": process.returncode, "out": _steady(out.decode()), "err": _steady(err.decode())}

    def _editor(self, script: str) -> Path:
        path = self.home / "editor"
        path.write_text(f"#!/bin/sh\nexec sed -i -e '{script}' \"$1\"\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path


def _patch_whole(command: str) -> list[str]:
    """JSON after -p is one word, its quotes and blanks included."""
    before, patch = command.split(" -p ", 1)
    return [*shlex.split(before), "-p", patch]


def _steady(text: str) -> list[str]:
    for varies, steady in _VARYING:
        text = varies.sub(steady, text)
    return [line.rstrip() for line in text.splitlines() if "version difference" not in line]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["name"] for case in CASES])
async def test_kubectl_says_the_same(number: int, kubernetes_running: ControlPlane, tmp_path: Path) -> None:
    case, namespace = CASES[number], f"kubectl-{number}"
    there = kubernetes_running.folder / "kubeconfig"
    async with running_api(tmp_path, cast(Streams, None)) as api:
        ours, theirs = await side_by_side(
            _told(Kubectl(api.kubeconfig, _folder(tmp_path / "ours"), namespace), case["commands"]),
            _told(Kubectl(there, _folder(tmp_path / "theirs"), namespace), case["commands"]),
        )
    found = differences(ours, theirs)
    if case.get("differs"):
        assert found, f"it no longer differs; take away: {case['differs']}"
    else:
        assert not found, "\n".join(found)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


async def _told(kubectl: Kubectl, commands: list[Mapping[str, Any]]) -> list[Any]:
    await kubectl.run({f"create namespace {kubectl.namespace}": None})
    await kubectl.run({"create serviceaccount default": None})
    return [{next(iter(command)): await kubectl.run(command)} for command in commands]
