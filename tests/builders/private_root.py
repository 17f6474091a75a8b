"""Run a script in namespaces of its own, in a root made of binds: what a node does for a pod, without a node.

As a program (`python private_root.py SPECIFICATION`, inside `unshare -Urmnpf`) it makes the root and runs the script;
as a module, `run_in_root` starts it so.
"""

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def run_in_root(
    folder: Path,
    binds: Sequence[tuple[str, str]],
    files: Mapping[str, str],
    environment: Mapping[str, str],
    script: str,
    *,
    timeout: float,
) -> "subprocess.CompletedProcess[str]":
    """`files` (path → text) are writable files of the new root; `script` is run by its /bin/sh."""
    root = folder / "root"
    root.mkdir()
    specification = folder / "root.json"
    specification.write_text(
        json.dumps(
            {
                "root": str(root),
                "binds": list(binds),
                "files": dict(files),
                "environment": dict(environment),
                "script": script,
            }
        )
    )
    command = [
        "unshare",
        "-Urmnpf",
        "--kill-child",
        sys.executable,
        "-S",
        os.path.abspath(__file__),
        str(specification),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text())
    root = given["root"]
    _raise_loopback()
    _mount("-t", "tmpfs", "none", root)
    for source, target in given["binds"]:
        _bind(source, root + target)
    for path in ("/proc", "/dev", "/tmp", "/run"):
        os.makedirs(root + path, exist_ok=True)
    _mount("-t", "proc", "none", root + "/proc")
    for device in ("null", "urandom", "random", "zero"):
        _bind(f"/dev/{device}", f"{root}/dev/{device}")
    for path, text in given["files"].items():
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        Path(root + path).write_text(text)
    os.chroot(root)
    os.chdir("/")
    os.execve("/bin/sh", ["sh", "-c", given["script"]], given["environment"])


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def _bind(source: str, target: str) -> None:
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        Path(target).touch()
    _mount("--bind", source, target)


def _mount(*arguments: str) -> None:
    subprocess.run([shutil.which("mount") or "mount", *arguments], check=True)


if __name__ == "__main__":
    main()
