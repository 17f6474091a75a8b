"""Where a console in a pod finds the Kubernetes API, and whose resources it shows."""

from pathlib import Path

import pytest

from klamm.console.reaching import of_pod

_POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def account(folder: Path) -> Path:
    for name, content in (("token", "t"), ("ca.crt", "c"), ("namespace", "kafka")):
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize(
    ("given", "namespaces"),
    [(None, ("kafka",)), ("", ("kafka",)), ("a, b", ("a", "b")), ("*", ()), ("a,*", ())],
)
def test_namespaces_of_a_pods_console(tmp_path: Path, given: str | None, namespaces: tuple[str, ...]) -> None:
    environment = {**_POD, **({"KLAMM_NAMESPACES": given} if given is not None else {})}
    found = of_pod(environment, account(tmp_path))
    assert found is not None
    assert (found.connection.server, found.namespaces) == ("https://10.0.0.1:443", namespaces)


def test_without_kubernetes_or_token_there_is_none(tmp_path: Path) -> None:
    assert of_pod(_POD, tmp_path) is None
    assert of_pod({}, account(tmp_path)) is None
