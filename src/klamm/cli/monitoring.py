"""`klamm up --monitoring`: Prometheus, and Grafana if it is there, beside the clusters of this machine."""

from collections.abc import Iterable, Mapping

from klamm import __version__
from klamm.cli.applying import Object
from klamm.cli.errors import Impossible
from klamm.cli.manifests import Manifest
from klamm.distribution.images import PROGRAM_REPOSITORIES, operator_image
from klamm.monitoring.one_machine import GRAFANA, IMAGES, PROMETHEUS, Watching, grafana_objects, prometheus_objects

_TITLES = {PROMETHEUS: "Prometheus", GRAFANA: "Grafana"}


def manifests() -> list[Manifest]:
    """What to apply. Raises `Impossible` when no Prometheus is installed."""
    if not _is_installed(PROMETHEUS):
        raise Impossible(
            "--monitoring: there is no program `prometheus` in /usr/bin or /usr/local/bin. Install it (on Debian and "
            "Ubuntu: apt-get install prometheus; its own service is not needed: systemctl disable --now prometheus)"
        )
    watching = Watching(operator_image=operator_image(__version__))
    objects = [*prometheus_objects(watching), *(grafana_objects() if _is_installed(GRAFANA) else ())]
    return [_manifest(obj) for obj in objects]


def addresses(services: Iterable[Object]) -> Mapping[str, str]:
    """Title → where it is in a browser of this machine, from the Services as they were applied."""
    named = {one["metadata"]["name"]: one for one in services if one["kind"] == "Service"}
    return {
        title: f"http://127.0.0.1:{named[name]['spec']['ports'][0]['nodePort']}"
        for name, title in _TITLES.items()
        if name in named
    }


def _is_installed(program: str) -> bool:
    return PROGRAM_REPOSITORIES[IMAGES[program]].command() is not None


def _manifest(obj: Object) -> Manifest:
    metadata = obj["metadata"]
    return Manifest(obj["apiVersion"], obj["kind"], metadata["name"], metadata.get("namespace"), obj, "--monitoring")
