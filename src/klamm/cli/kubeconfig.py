"""`klamm kubeconfig`: the file that opens this home's API to kubectl and every other Kubernetes tool."""

import argparse

from klamm.cli.context import Context
from klamm.cli.errors import NotRunning


def run(context: Context, arguments: argparse.Namespace) -> int:
    path = context.home.kubeconfig
    if not path.exists():
        raise NotRunning(f"there is no cluster in {context.home.path} yet: start one with `klamm up`")
    if arguments.content:
        text = path.read_text(encoding="utf-8")
        if context.output == "json":
            import yaml

            context.give(yaml.safe_load(text))
        else:
            context.put(text.rstrip("\n"))
    elif context.for_programs:
        context.give({"path": str(path)})
    else:
        context.put(str(path))
    return 0
