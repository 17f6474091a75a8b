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
    deleted = arguments.delete and _delete(context)
    if context.for_programs:
        context.give({"stopped": was_running, "deleted": deleted})
    else:
        context.say(_told(context, was_running, deleted=deleted))
    return 0


def _told(context: Context, was_running: bool, *, deleted: bool) -> str:
    first = "the cluster is down" if was_running else "nothing was running"
    if deleted:
        return f"{first}; its data is deleted"
    if not context.home.settings.exists():
        return f"{first}; there is no cluster in {context.home.path}"
    return f"{first}; its data stays in {context.home.path}"


def _delete(context: Context) -> bool:
    """Only what klamm has made there: with a mistyped KLAMM_HOME nobody shall lose files of their own."""
    home = context.home
    if not home.settings.exists():
        return False
    shutil.rmtree(home.memory, ignore_errors=True)
    try:
        for folder in (home.run, home.logs, home.pods, home.volumes, home.certificates):
            if folder.exists():
                shutil.rmtree(folder)
        for file in (*home.path.glob(f"{home.database.name}*"), home.kubeconfig, home.settings):
            file.unlink(missing_ok=True)
    except OSError as error:
        raise Impossible(
            f"deleting {error.filename or home.path}: {error.strerror}. What is left can be removed by hand"
        ) from error
    if not any(home.path.iterdir()):
        home.path.rmdir()
    return True
