"""What every command gets: the home, the clock, where to print, and a client on demand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Literal, TextIO

from klamm.base.clock import Clock
from klamm.cli.errors import NotRunning
from klamm.cli.home import Home

if TYPE_CHECKING:
    from klamm.cli.painting import Style
    from klamm.kube.client import Client
    from klamm.kube.connection import Connection

MANAGER = "klamm"

Output = Literal["text", "json", "yaml", "wide", "name"]


@dataclass(frozen=True, slots=True)
class Context:
    home: Home
    java_home: Path | None
    environment: Mapping[str, str]
    clock: Clock
    random: Random
    out: TextIO
    """Data, and nothing else."""
    err: TextIO
    """Talk."""
    control_plane: tuple[str, ...]
    """argv of the control plane; `{api_fd}` is replaced by the guardian."""
    output: Output = "text"
    terminal: Mapping[str, str] = field(default_factory=dict)
    """NO_COLOR and TERM, as far as they are set."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What may be in the environment and is handed on to nobody: SASL_USER_PASSWORD."""
    input: TextIO | None = None
    """Standard input; None where there is none (a program's child, a test)."""

    @property
    def style(self) -> "Style":
        from klamm.cli.painting import style_of

        return style_of(self.err, no_color="NO_COLOR" in self.terminal, term=self.terminal.get("TERM", ""))

    @property
    def for_programs(self) -> bool:
        return self.output in ("json", "yaml")

    def connection(self) -> "Connection":
        """As its administrator. Raises `NotRunning` when the home has no cluster yet, `Mistake` on a damaged home."""
        from klamm.cli.identity import administrator
        from klamm.cli.settings import read_settings

        settings = read_settings(self.home.settings)
        if settings is None or not settings.api_port:
            raise NotRunning(f"there is no cluster in {self.home.path} yet: start one with `klamm up`")
        return administrator(self.home, settings.api_port)

    def client(self) -> "Client":
        """Call it inside a running loop. Raises as `connection`."""
        from klamm.kube.client import over
        from klamm.kube.lean_transport import LeanTransport

        return over(LeanTransport(self.connection()), MANAGER, self.random)

    def namespace(self, given: str | None) -> str:
        """The one that was given, else the home's current one."""
        from klamm.cli.settings import read_settings

        if given:
            return given
        settings = read_settings(self.home.settings)
        return settings.operator_namespace if settings else "kafka"

    def say(self, text: str) -> None:
        """A line for people, never mixed into what programs read from standard output."""
        print(text, file=self.err, flush=True)

    def put(self, text: str) -> None:
        """Data: a line of standard output."""
        print(text, file=self.out, flush=True)

    def give(self, value: object) -> None:
        """Data for programs, in the form that they asked for."""
        if self.output == "yaml":
            self.put(as_yaml(value).rstrip("\n"))
        else:
            import json

            self.put(json.dumps(value, indent=2, ensure_ascii=False))


def as_yaml(value: object) -> str:
    """Keys in their order; text of several lines as a block."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)
    return text
