"""Lets pods of any user write to their volumes: python -m tests.kubernetes.node.volumes FOLDER

The hostpath provisioner makes a folder for each volume that only root may write to, and kubelet does not hand such
volumes to a pod's fsGroup, as it does with a cloud's. Between the folder and the first container that sees it lie a
binding, a decision of the scheduler and a mount, so it is opened long before.
"""

import sys
import threading
from pathlib import Path

_PAUSE = 0.05


def main(folder: Path) -> None:
    """For ever."""
    opened: set[Path] = set()
    while True:
        there = set(folder.iterdir())
        for path in there - opened:
            path.chmod(0o777)
        opened = there
        threading.Event().wait(_PAUSE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
