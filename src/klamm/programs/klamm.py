"""The command `klamm`: reads arguments, environment and the clock, and runs one command of `cli/`."""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from random import SystemRandom

from klamm.base.clock import SystemClock
from klamm.cli.arguments import parser
from klamm.cli.context import Context
from klamm.cli.errors import Complaint
from klamm.cli.home import Home

_MODULES = {"import": "importing", "exec": "executing"}
"""Commands whose module cannot be called like them; the others are klamm.cli.<command>."""

_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "JAVA_HOME", "KLAMM_LOG_LEVEL")
"""What of the environment reaches the control plane; nothing of it reaches a pod."""


def home_of(environment: Mapping[str, str]) -> Home:
    user = Path(environment.get("HOME") or Path.home())
    return Home(
        Path(environment.get("KLAMM_HOME") or user / ".klamm").absolute(),
        Path(environment.get("KLAMM_CACHE") or user / ".cache" / "klamm").absolute(),
    )


def context_of(environment: Mapping[str, str], as_json: bool) -> Context:
    home = home_of(environment)
    program = [sys.executable, "-m", "klamm.programs.control_plane", "--home", str(home.path)]
    java_home = environment.get("KLAMM_JAVA_HOME")
    return Context(
        home=home,
        java_home=Path(java_home) if java_home else None,
        environment={name: environment[name] for name in _PASSED_ON if name in environment},
        clock=SystemClock(),
        random=SystemRandom(),
        out=sys.stdout,
        err=sys.stderr,
        control_plane=(*program, "--cache", str(home.cache), "--api-fd", "{api_fd}"),
        as_json=as_json,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parsed = parser().parse_args(arguments)
    context = context_of(os.environ, parsed.output == "json")  # noqa: TID251 (a program's main)
    command = import_module(f"klamm.cli.{_MODULES.get(parsed.command, parsed.command)}")
    try:
        code: int = command.run(context, parsed)
    except Complaint as complaint:
        context.say(f"klamm: {complaint}")
        return complaint.exit_code
    except KeyboardInterrupt:
        context.say("klamm: interrupted; what runs goes on running")
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
