"""What every command gets: the home, the clock, where to print, and a client on demand."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TextIO

from klamm.base.clock import Clock
from klamm.cli.errors import NotRunning
from klamm.cli.home import Home
from klamm.cli.settings import read_settings

if TYPE_CHECKING:
    from klamm.kube.client import Client

MANAGER = "klamm"


@dataclass(frozen=True, slots=True)
class Context:
    home: Home
    java_home: Path | None
    environment: Mapping[str, str]
    clock: Clock
    random: Random
    out: TextIO
    err: TextIO
    control_plane: tuple[str, ...]
    """argv of the control plane; `{api_fd}` is replaced by the guardian."""
    as_json: bool = False

    def client(self) -> "Client":
        """Call it inside a running loop. Raises `NotRunning` when the home has no cluster yet."""
        from klamm.kube.client import connect
        from klamm.kube.connection import from_kubeconfig

        if not self.home.kubeconfig.exists():
            raise NotRunning(f"there is no cluster in {self.home.path} yet: start one with `klamm up`")
        return connect(from_kubeconfig(self.home.kubeconfig), MANAGER, self.random)

    def namespace(self, given: str | None) -> str:
        """The one that was given, else the home's current one."""
        settings = read_settings(self.home.settings)
        return given or (settings.operator_namespace if settings else "kafka")

    def say(self, text: str) -> None:
        """A line for people, never mixed into what programs read from standard output."""
        print(text, file=self.err, flush=True)
