"""Helm and kubectl on one API server, each with folders of its own: nothing of the person's who runs the tests."""

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.helm.program import helm_program

CHECKOUT = Path(__file__).resolve().parents[2]
CHART = CHECKOUT / "charts" / "klamm"
ENDS_WITHIN = 300.0
"""Seconds for one command; a command that waits for something is given less by its own --timeout."""

Object = dict[str, Any]

OF_AN_INSTALLATION = (
    "serviceaccounts,configmaps,deployments.apps,poddisruptionbudgets.policy,"
    "roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io,"
    "clusterroles.rbac.authorization.k8s.io,clusterrolebindings.rbac.authorization.k8s.io"
)


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Commands:
    """What is typed on one server. `folder`: for Helm's own files."""

    kubeconfig: Path | None
    folder: Path

    async def helm(self, *arguments: str, code: int = 0) -> str:
        said = await self.attempt(str(helm_program()), *arguments)
        assert said.code == code, f"$ helm {' '.join(arguments)}\nended with {said.code}\n{said.out}{said.err}"
        return said.out if code == 0 else said.err

    async def kubectl(self, *arguments: str, code: int = 0) -> str:
        said = await self.attempt("kubectl", *arguments)
        assert said.code == code, f"$ kubectl {' '.join(arguments)}\nended with {said.code}\n{said.out}{said.err}"
        return said.out if code == 0 else said.err

    async def attempt(self, *argv: str) -> Said:
        environment = {
            "PATH": os.environ["PATH"],  # noqa: TID251 (a test hands on what it was started with)
            "HOME": str(self.folder),
            **({"KUBECONFIG": str(self.kubeconfig)} if self.kubeconfig else {}),
        }
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=CHECKOUT,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                out, err = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"$ {' '.join(argv)}\nhas no end after {ENDS_WITHIN:g} s") from None
        return Said(process.returncode or 0, out.decode(), err.decode())

    async def installed(self) -> dict[str, Object]:
        """ "kind namespace/name" → the object, of everything that an installation has."""
        text = await self.kubectl("get", OF_AN_INSTALLATION, "-A", "-l", "app=strimzi", "-o", "json")
        return {key(obj): obj for obj in json.loads(text)["items"]}


def key(obj: Object) -> str:
    metadata = obj["metadata"]
    return f"{obj['kind']} {metadata.get('namespace', '')}/{metadata['name']}"
