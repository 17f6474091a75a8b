"""What the machine must have before a real Kubernetes can run on it: root, Debian's packages, cgroups.

Missing packages are installed with apt-get, which is said aloud. Nothing else of the machine is changed. (Where systemd
runs, Debian starts a containerd of its own with that package; ours is another, and does not meet it.)
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_PACKAGE_OF = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "socat": "socat",
    "ip": "iproute2",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "kubectl": "kubernetes-client",
}
PLUGINS = Path("/usr/lib/cni")
_PLUGINS_PACKAGE = "containernetworking-plugins"
_INSTALLED_WITHIN = 600.0


class Missing(Exception):
    """The text says what is not there, and what to do."""


def check() -> None:
    """Install what Debian has; raise `Missing` for what cannot be had so."""
    if os.geteuid() != 0:
        raise Missing(
            "a real Kubernetes needs root: it makes namespaces, mounts and cgroups (try sudo make kubernetes)"
        )
    if not Path("/sys/fs/cgroup/memory").is_dir():
        raise Missing("a real Kubernetes here needs cgroups of version 1 at /sys/fs/cgroup (memory, cpu, pids, …)")
    install({package for program, package in _PACKAGE_OF.items() if shutil.which(program) is None} | _plugins())


def install(packages: set[str]) -> None:
    if not packages:
        return
    words = sorted(packages)
    print(f"installing with apt-get: {' '.join(words)}", file=sys.stderr, flush=True)
    given = os.environ  # noqa: TID251 (apt-get's own)
    for line in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *words]):
        try:
            done = subprocess.run(
                ["apt-get", *line],
                env={**given, "DEBIAN_FRONTEND": "noninteractive"},
                capture_output=True,
                text=True,
                timeout=_INSTALLED_WITHIN,
            )
        except FileNotFoundError as error:
            raise Missing(f"there is no apt-get; install {' '.join(words)} by hand") from error
        if done.returncode:
            raise Missing(f"apt-get {' '.join(line)} ended with {done.returncode}:\n{done.stderr[-2000:]}")


def _plugins() -> set[str]:
    return set() if (PLUGINS / "ptp").exists() else {_PLUGINS_PACKAGE}
