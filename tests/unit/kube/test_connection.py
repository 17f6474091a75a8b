"""Kubeconfig files and the files in a pod."""

import base64
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from klamm.kube.connection import BadConnection, FileToken, from_kubeconfig, in_cluster

CLUSTER = {"server": "https://127.0.0.1:6443/", "certificate-authority-data": base64.b64encode(b"CA").decode()}


def _write(folder: Path, user: dict[str, Any], cluster: dict[str, Any] | None = None, **more: Any) -> Path:
    config = {
        "current-context": "here",
        "contexts": [
            {"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "kafka"}},
            {"name": "nowhere", "context": {"cluster": "missing", "user": "u"}},
        ],
        "clusters": [{"name": "c", "cluster": cluster or CLUSTER}],
        "users": [{"name": "u", "user": user}],
        **more,
    }
    path = folder / "config"
    path.write_bytes(msgspec.json.encode(config))
    return path


def test_inline_data_and_files_relative_to_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "client.crt").write_bytes(b"CERT")
    user = {"client-certificate": "client.crt", "client-key-data": base64.b64encode(b"KEY").decode()}
    connection = from_kubeconfig(_write(tmp_path, user))
    assert connection.server == "https://127.0.0.1:6443"
    assert (connection.authorities, connection.certificate, connection.key) == (b"CA", b"CERT", b"KEY")
    assert connection.namespace == "kafka"
    assert "KEY" not in repr(connection)


def test_a_token_and_a_token_file_which_goes_first(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    inline = from_kubeconfig(_write(tmp_path, {"token": "inline"}))
    both = from_kubeconfig(_write(tmp_path, {"token": "inline", "tokenFile": "token"}))
    assert inline.token is not None
    assert both.token is not None
    assert (inline.token.current(), both.token.current()) == ("inline", "from-file")
    assert "inline" not in repr(inline)


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("exec plugin", {"user": {"exec": {"command": "aws"}}}, "signs in by 'exec'; use a client certificate or a token"),
    ("no base64", {"user": {"client-key-data": "%%%"}}, "client-key-data is not base64"),
    ("a file that is not there", {"user": {"client-key": "none.key"}}, "No such file"),
    ("no context", {"user": {}, "current-context": ""}, "it names no current-context"),
    ("a context of nothing", {"user": {}, "current-context": "nowhere"}, "clusters has no entry named 'missing'"),
    ("no server", {"user": {}, "cluster": {"x": "y"}}, "cluster 'c' has no server address"),
]


@pytest.mark.parametrize(("case", "config", "message"), BAD, ids=[row[0] for row in BAD])
def test_what_is_wrong_with_a_kubeconfig(case: str, config: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(BadConnection, match=message):
        from_kubeconfig(_write(tmp_path, **config))


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("a: [")
    with pytest.raises(BadConnection, match="it is not YAML"):
        from_kubeconfig(path)


def test_the_files_in_a_pod(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"CA")
    (tmp_path / "token").write_text("first")
    (tmp_path / "namespace").write_text("kafka\n")
    connection = in_cluster("fd00::1", "443", tmp_path)
    assert (connection.server, connection.namespace) == ("https://[fd00::1]:443", "kafka")
    assert connection.token is not None
    assert connection.token.current() == "first"


def test_a_renewed_token_is_read_again_and_a_missing_one_outlasted(tmp_path: Path) -> None:
    path, new = tmp_path / "token", tmp_path / "new"
    path.write_text("first")
    token = FileToken(path)
    assert token.current() == "first"
    new.write_text("second")
    os.replace(new, path)
    assert token.current() == "second"
    path.unlink()
    assert token.current() == "second"
