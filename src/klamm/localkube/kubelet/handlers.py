"""What probes and lifecycle hooks do: exec, httpGet, tcpSocket, sleep. The answer is None, or why it failed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from klamm.localkube.kubelet.commands import run_command
from klamm.localkube.kubelet.http_get import BadAnswer, HttpGet, http_status
from klamm.localkube.kubelet.runtime import CannotStart, NodeAway, Runtime


@dataclass(frozen=True, slots=True)
class Target:
    """The running container that is asked."""

    runtime: Runtime
    container: Mapping[str, Any]
    container_id: str
    sandbox_id: str
    pod_ip: str
    environment: Callable[[], Awaitable[Mapping[str, str]]]


async def perform(target: Target, action: Mapping[str, Any], seconds: float) -> str | None:
    """Run a probe's or a hook's action for at most `seconds`; None is success.

    Raises `NodeAway`: then nobody was asked, and the answer is neither.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _perform(target, action, seconds)
    except TimeoutError:
        return f"{_named(action)} timed out after {seconds:g}s"
    except NodeAway:
        raise
    except (CannotStart, OSError, BadAnswer) as error:
        return f"{_named(action)} failed: {error}"


def _named(action: Mapping[str, Any]) -> str:
    if command := (action.get("exec") or {}).get("command"):
        return f'command "{" ".join(command)}"'
    if get := action.get("httpGet"):
        return f"HTTP GET of {get.get('path') or '/'} on port {get['port']}"
    return f"connection to port {action['tcpSocket']['port']}" if "tcpSocket" in action else "action"


async def _perform(target: Target, action: Mapping[str, Any], seconds: float) -> str | None:
    if (run := action.get("exec")) is not None:
        return await _exec(target, run.get("command") or ())
    if (get := action.get("httpGet")) is not None:
        return await _get(target, HttpGet.of(get, port_number(target.container, get["port"])))
    if (tcp := action.get("tcpSocket")) is not None:
        port = port_number(target.container, tcp["port"])
        return await target.runtime.probe_tcp(target.sandbox_id, port, seconds)
    if (sleep := action.get("sleep")) is not None:
        await asyncio.sleep(float(sleep["seconds"]))
        return None
    return "of exec, httpGet, tcpSocket and sleep the action has none (grpc does not exist on one machine)"


def port_number(container: Mapping[str, Any], port: int | str) -> int:
    """A port by number or by its name in the container's ports. Raises `BadAnswer` for an unknown name."""
    if isinstance(port, int) or port.isdigit():
        return int(port)
    for entry in container.get("ports") or ():
        if entry.get("name") == port:
            return int(entry["containerPort"])
    raise BadAnswer(f'the container has no port named "{port}"')


async def _exec(target: Target, command: Any) -> str | None:
    result = await run_command(target.runtime, target.container_id, command, await target.environment())
    if result.exit_code == 0:
        return None
    return result.output.strip() or f"the command ended with exit code {result.exit_code}"


async def _get(target: Target, get: HttpGet) -> str | None:
    connection = await target.runtime.connect(target.sandbox_id, get.port)
    try:
        status = await http_status(connection, get, target.pod_ip)
    finally:
        await connection.close()
    return None if 200 <= status < 400 else f"HTTP probe failed with statuscode: {status}"
