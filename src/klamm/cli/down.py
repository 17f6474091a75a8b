"""`klamm down`: stop every process of the home. Objects, volumes and logs stay; `--delete` removes them, too."""

import argparse
import json
import shutil

from klamm.cli.context import Context
from klamm.localkube.node.client import GuardianClient


def run(context: Context, arguments: argparse.Namespace) -> int:
    guardian = GuardianClient(str(context.home.path))
    was_running = guardian.is_running()
    if was_running:
        context.say("stopping pods, then the control plane …")
        guardian.stop(arguments.timeout)
    if arguments.delete:
        shutil.rmtree(context.home.path, ignore_errors=True)
    if context.as_json:
        print(json.dumps({"stopped": was_running, "deleted": arguments.delete}), file=context.out)
    else:
        stays = "and its data is deleted" if arguments.delete else f"its data stays in {context.home.path}"
        context.say(f"the cluster is down, {stays}" if was_running else f"nothing was running; {stays}")
    return 0
