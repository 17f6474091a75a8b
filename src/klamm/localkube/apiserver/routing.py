"""From a path to what is asked for. One small parser instead of a hundred routes: kinds come and go with CRDs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """/api/v1/namespaces/NS/pods/NAME/log → ("", "v1", "NS", "pods", "NAME", "log")."""

    group: str
    version: str
    namespace: str | None
    plural: str
    name: str = ""
    subresource: str = ""
    rest: str = ""


def parse(path: str) -> Target | None:
    """None when the path names no resource."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) >= 3:
        group, version, parts = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        return None
    if "" in parts:
        return None
    if parts[0] == "watch":
        return None
    namespace: str | None = None
    if parts[0] == "namespaces" and len(parts) >= 3 and not _is_own_part(parts):
        namespace, parts = parts[1], parts[2:]
    name = parts[1] if len(parts) > 1 else ""
    subresource = parts[2] if len(parts) > 2 else ""
    return Target(group, version, namespace, parts[0], name, subresource, "/".join(parts[3:]))


def _is_own_part(parts: list[str]) -> bool:
    """namespaces/NAME/status and /finalize are of the namespace itself."""
    return len(parts) == 3 and parts[2] in ("status", "finalize")
