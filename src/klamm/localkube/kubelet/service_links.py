"""The variables that tell a container about services: {NAME}_SERVICE_HOST, …_PORT and the older link style. Pure.

The API's own service is always among them; others of the namespace unless the pod sets enableServiceLinks: false.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from klamm.localkube.objects import Object


def service_variables(services: Iterable[Object]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for service in services:
        address = service["spec"].get("clusterIP")
        if address and address != "None":
            variables |= _of_one(service["metadata"]["name"], address, service["spec"].get("ports") or ())
    return variables


def api_variables(address: str, port: int) -> dict[str, str]:
    return _of_one("kubernetes", address, [{"name": "https", "port": port, "protocol": "TCP"}])


def _of_one(name: str, address: str, ports: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    stem = _variable(name)
    variables = {f"{stem}_SERVICE_HOST": address}
    for position, port in enumerate(ports):
        number, protocol = str(port["port"]), str(port.get("protocol") or "TCP")
        url = f"{protocol.lower()}://{address}:{number}"
        link = f"{stem}_PORT_{number}_{protocol}"
        if position == 0:
            variables |= {f"{stem}_SERVICE_PORT": number, f"{stem}_PORT": url}
        if port.get("name"):
            variables[f"{stem}_SERVICE_PORT_{_variable(port['name'])}"] = number
        variables |= {
            link: url,
            f"{link}_PROTO": protocol.lower(),
            f"{link}_PORT": number,
            f"{link}_ADDR": address,
        }
    return variables


def _variable(name: str) -> str:
    return name.upper().replace("-", "_").replace(".", "_")
