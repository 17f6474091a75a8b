"""`klamm down`: stop every process of the home. Objects, volumes and logs stay; `--delete` removes them, too."""

import argparse
import shutil

from klamm.cli.context import Context
from klamm.cli.errors import Impossible, Unfinished
from klamm.localkube.node.client import GuardianClient, GuardianError


def run(context: Context, arguments: argparse.Namespace) -> int:
    home = context.home.path
    guardian = GuardianClient(str(home))
    was_running = guardian.is_running()
    if was_running:
        context.say("stopping pods, then the control plane …")
        try:
            guardian.stop(arguments.timeout)
        except GuardianError as error:
            raise Unfinished(
                f"stopping the cluster of {home}: {error}. Nothing is lost; run `klamm down` again, "
                f"and look into {context.home.logs / 'guardian.log'} when it stays so"
            ) from error
    if arguments.delete:
        _delete(context)
        shutil.rmtree(context.home.memory, ignore_errors=True)
    if context.for_programs:
        context.give({"stopped": was_running, "deleted": arguments.delete})
    else:
        stays = "its data is deleted" if arguments.delete else f"its data stays in {home}"
        context.say(f"the cluster is down, {stays}" if was_running else f"nothing was running; {stays}")
    return 0


def _delete(context: Context) -> None:
    """Only a folder that is a klamm home: a mistyped KLAMM_HOME must not cost somebody their files."""
    path = context.home.path
    if not path.exists():
        return
    if not context.home.settings.exists():
        if any(path.iterdir()):
            raise Impossible(
                f"{path} holds no {context.home.settings.name}, so it is no home of a klamm cluster: not deleted"
            )
        return
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise Impossible(
            f"deleting {error.filename or path}: {error.strerror}. What is left can be removed by hand"
        ) from error
