"""The command `klamm`: reads arguments, environment and the clock, and runs one command of `cli/`."""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from random import SystemRandom
from types import ModuleType

from klamm.base.clock import SystemClock
from klamm.cli.arguments import read
from klamm.cli.complaints import complaint_of
from klamm.cli.context import Context, Output
from klamm.cli.home import Home

_MODULES = {"import": "importing", "exec": "executing"}
"""Commands whose module cannot be called like them; the others are klamm.cli.<command>."""

_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "JAVA_HOME", "KLAMM_LOG_LEVEL")
"""What of the environment reaches the control plane; nothing of it reaches a pod."""

_SECRETS = ("SASL_USER_PASSWORD",)

_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""The C library's first thresholds, fixed: else it raises both with the first large body, and keeps for good what was
freed since (a fifth more memory after ten minutes of large and small requests)."""


def home_of(environment: Mapping[str, str]) -> Home:
    user = Path(environment.get("HOME") or Path.home())
    return Home(
        Path(environment.get("KLAMM_HOME") or user / ".klamm").absolute(),
        Path(environment.get("KLAMM_CACHE") or user / ".cache" / "klamm").absolute(),
    )


def context_of(environment: Mapping[str, str], output: Output, secrets: Sequence[str] = _SECRETS) -> Context:
    """`secrets`: variables that the command may read and hands on to nobody."""
    home = home_of(environment)
    program = [sys.executable, "-m", "klamm.programs.control_plane", "--home", str(home.path)]
    java_home = environment.get("KLAMM_JAVA_HOME")
    if java_home:
        program += ["--java-home", java_home]
    return Context(
        home=home,
        java_home=Path(java_home) if java_home else None,
        environment=_MEMORY | {name: environment[name] for name in _PASSED_ON if name in environment},
        clock=SystemClock(),
        random=SystemRandom(),
        out=sys.stdout,
        err=sys.stderr,
        control_plane=(*program, "--cache", str(home.cache), "--api-fd", "{api_fd}"),
        output=output,
        secrets={name: environment[name] for name in secrets if name in environment},
        terminal={name: environment[name] for name in ("NO_COLOR", "TERM") if name in environment},
        input=sys.stdin,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parsed = read(sys.argv[1:] if arguments is None else arguments)
    environment = dict(os.environ)  # noqa: TID251 (a program's main)
    # A configuration of kafka-ui may name any variable: password: ${MY_PASSWORD}
    context = context_of(environment, parsed.output, tuple(environment) if parsed.command == "ui" else _SECRETS)
    command = _imported(f"klamm.cli.{_MODULES.get(parsed.command, parsed.command)}")
    try:
        code: int = command.run(context, parsed)
    except BrokenPipeError:
        # `klamm get … | head`: whoever read has enough. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        context.say(
            f"klamm: interrupted. {command.AFTER_INTERRUPT if hasattr(command, 'AFTER_INTERRUPT') else ''}".rstrip()
        )
        return 130
    except Exception as error:
        complaint = complaint_of(error, context.home)
        if complaint is None:
            raise
        context.say(f"klamm: {complaint}")
        return complaint.exit_code
    return code


def _imported(module: str) -> ModuleType:
    """Without looks for garbage: some thousand classes make none, and to look at them again and again is a tenth of the
    time until `klamm ui` answers. Nor is it looked at later."""
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    sys.exit(main())
