"""The node's tests once more, as an ordinary user: namespaces must not need root.

A process cannot put its root back on, so this is a pytest in a child, with an interpreter and a cache that uid
1000 can read.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
UID = 1000


def _interpreter() -> tuple[str, ...]:
    """Ours where that user can start it; else the system's with our libraries, when it is of the same version."""
    candidates = (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")
    for candidate in candidates:
        probe = (
            subprocess.run(
                [candidate, "-c", "import sys; sys.stdout.write(str(sys.version_info.minor))"],
                user=UID,
                group=UID,
                extra_groups=[],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
            )
            if Path(candidate).exists() and _may_execute(candidate)
            else None
        )
        if probe is not None and probe.stdout == str(sys.version_info.minor):
            return (candidate,)
    pytest.skip(f"uid {UID} can execute none of {candidates}")


def _may_execute(program: str) -> bool:
    real = Path(program).resolve()
    return all(parent.stat().st_mode & 0o001 for parent in real.parents) and bool(real.stat().st_mode & 0o001)


@pytest.mark.skipif(os.geteuid() != 0, reason="already an ordinary user")
def test_all_of_it_passes_as_an_ordinary_user() -> None:
    libraries = str(Path(pytest.__file__).parents[1])
    with tempfile.TemporaryDirectory(prefix="klamm-user-") as temporary:
        os.chown(temporary, UID, UID)
        result = subprocess.run(
            [*_interpreter(), "-B", "-m", "pytest", "-p", "no:cacheprovider", "-x", str(HERE)],
            user=UID,
            group=UID,
            extra_groups=[],
            cwd=CHECKOUT,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": temporary,
                "TMPDIR": temporary,
                "PYTHONPATH": os.pathsep.join((libraries, str(CHECKOUT / "src"))),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=1200,
        )
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
