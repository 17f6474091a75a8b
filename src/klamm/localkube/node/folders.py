"""Where the node's processes meet inside a home folder. All of it is the owner's alone (0700).

`run/` holds only what a crash may leave behind and the next start replaces: sockets, locks, the relay's last
configuration, files bound into pods. Who owns the home is told by a file lock, which the kernel takes back when
its holder ends, and never by a process id that may by then belong to another program.
"""

from __future__ import annotations

import os


class Folders:
    def __init__(self, home: str) -> None:
        self.home = os.path.abspath(home)
        self.run = os.path.join(self.home, "run")
        self.logs = os.path.join(self.home, "log")
        self.guardian_socket = os.path.join(self.run, "guardian.sock")
        self.guardian_lock = os.path.join(self.run, "guardian.lock")
        self.node_socket = os.path.join(self.run, "node.sock")
        self.node_lock = os.path.join(self.run, "node.lock")
        self.relay_socket = os.path.join(self.run, "relay.sock")
        self.api_socket = os.path.join(self.run, "api.sock")
        """The control plane listens here too: what pods reach as https://10.96.0.1:443."""
        self.network_file = os.path.join(self.run, "network.json")
        self.root_mount_point = os.path.join(self.run, "root")
        self.pods = os.path.join(self.run, "pods")

    def make(self) -> None:
        for folder in (self.home, self.run, self.logs, self.root_mount_point, self.pods):
            os.makedirs(folder, mode=0o700, exist_ok=True)
