"""What one local cluster is set to: written once by its first `up`, read by everyone who touches the home."""

from pathlib import Path

import msgspec

from klamm.cli.errors import Mistake


class LocalNode(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    labels: dict[str, str] = {}


class LocalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `cluster.json`."""

    api_port: int = 0
    """The API's port on 127.0.0.1, for as long as the home lives; 0 until the first start has found one."""
    nodes: list[LocalNode] = []
    early_readiness: bool = True
    """Whether a probe that succeeds before its initial delay makes a pod ready at once (Kubernetes would wait)."""
    operator_namespace: str = "kafka"
    """The operator's Deployment is put there as soon as the namespace exists."""


ZONE_LABELS = ("topology.kubernetes.io/zone", "topology.ebs.csi.aws.com/zone")
REGION = "local"


def pretended_nodes(count: int) -> list[LocalNode]:
    """Nodes in zones of their own, so that a required anti-affinity by zone has as many places as there are nodes."""
    return [_pretended_node(index) for index in range(count)]


def _pretended_node(index: int) -> LocalNode:
    name = f"klamm-{index}"
    zone = f"{REGION}-{chr(ord('a') + index % 26)}"
    return LocalNode(
        name=name,
        labels={
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "topology.kubernetes.io/region": REGION,
            **dict.fromkeys(ZONE_LABELS, zone),
        },
    )


def read_settings(path: Path) -> LocalSettings | None:
    """None when there is no cluster yet. Raises `Mistake` on a file that is none of ours."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=LocalSettings)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except msgspec.DecodeError as error:
        raise Mistake(
            f"{path} is not a description of a klamm cluster ({error}). Restore it, or move the folder "
            f"{path.parent} away to start a new cluster."
        ) from error


def write_settings(path: Path, settings: LocalSettings) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n")
    beside.replace(path)
