"""Clients from another house see the same: Kubernetes' own client-go with an informer (informer/main.go).

The program is built once, from the modules that its go.sum pins, and kept as Kubernetes' programs are.
"""

import asyncio
import fcntl
import hashlib
import os
import re
import subprocess
from pathlib import Path
from typing import cast

from tests.builders.api_server import running_api
from tests.conformance.transcripts import differences
from tests.kubernetes.control_plane import ControlPlane

from klamm.localkube.objects import Streams

ENDS_WITHIN = 180.0
_BUILT_WITHIN = 900.0
_SOURCE = Path(__file__).parent / "informer"
_NAMESPACE = "informed"


def informer() -> Path:
    digest = hashlib.sha256(b"".join((_SOURCE / name).read_bytes() for name in ("go.mod", "go.sum", "main.go")))
    program = Path.home() / ".cache" / "klamm-tests" / f"informer-{digest.hexdigest()[:12]}"
    program.parent.mkdir(parents=True, exist_ok=True)
    with open(program.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}  # noqa: TID251 (Go's)
            argv = ["go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-o", str(program), "."]
            subprocess.run(argv, cwd=_SOURCE, env=environment, check=True, timeout=_BUILT_WITHIN)
    return program


async def told(program: Path, kubeconfig: Path) -> list[str]:
    created = await _output("kubectl", f"--kubeconfig={kubeconfig}", "create", "namespace", _NAMESPACE)
    assert created == [f"namespace/{_NAMESPACE} created"], created
    return await _output(str(program), str(kubeconfig), _NAMESPACE)


async def _output(*argv: str) -> list[str]:
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(ENDS_WITHIN):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uid>", out.decode()).splitlines()


async def test_an_informer_of_client_go_is_told_the_same(kubernetes_running: ControlPlane, tmp_path: Path) -> None:
    program = await asyncio.to_thread(informer)
    async with running_api(tmp_path, cast(Streams, None)) as api:
        ours = await told(program, api.kubeconfig)
    theirs = await told(program, kubernetes_running.folder / "kubeconfig")
    assert "informer: deleted before map[]" in theirs
    assert not differences(ours, theirs)
