"""Writes what kube-apiserver tells of its types and resources, as `localkube.apiserver.generate_types` reads it.

`python -m tests.kubernetes.documents FOLDER`: the same files as in the folder `api` of the module k8s.io/kubernetes,
but from the server itself, which tells more (the values of enumerations).
"""

import json
import sys
import tempfile
import urllib.request
from pathlib import Path
from ssl import SSLContext, create_default_context

from tests.kubernetes.control_plane import control_plane

from klamm.localkube.apiserver.generate_types import SERVED, group_version_file


def write(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as own, control_plane(Path(own)) as running:
        context = create_default_context(cafile=str(running.folder / "ca.crt"))
        context.load_cert_chain(running.folder / "admin.crt", running.folder / "admin.key")
        for group_version in SERVED:
            path = f"/{'apis' if '/' in group_version else 'api'}/{group_version}"
            name = group_version_file(group_version)
            _save(f"{running.url}/openapi/v3{path}", folder / "openapi-spec" / "v3" / f"{name}_openapi.json", context)
            _save(f"{running.url}{path}", folder / "discovery" / f"{name}.json", context)


def _save(url: str, target: Path, context: SSLContext) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    asked = urllib.request.Request(url, headers={"Accept": "application/json"})
    with urllib.request.urlopen(asked, context=context, timeout=60) as answer:
        target.write_text(json.dumps(json.load(answer), sort_keys=True))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
