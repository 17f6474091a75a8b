"""The commands and their options. argparse, because it is there and costs 10 ms; the commands' code is imported
only when one of them runs.
"""

import argparse

from klamm import __version__

DESCRIPTION = "Apache Kafka for people: Strimzi's manifests on this machine, as real processes, in seconds."


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="klamm", description=DESCRIPTION)
    top.add_argument("--version", action="version", version=f"klamm {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    up = commands.add_parser("up", help="start the cluster of this home, apply manifests, wait until they are ready")
    up.add_argument("files", nargs="*", metavar="FILE", help="manifests (YAML or JSON; - for standard input)")
    up.add_argument("--nodes", type=int, metavar="N", help="pretended nodes of a new cluster, each a zone (default 3)")
    up.add_argument(
        "--no-early-readiness", action="store_true", help="probe only after the initial delay, as a cluster"
    )
    up.add_argument("--api-port", type=int, metavar="PORT", help="port of the API on 127.0.0.1 (default: a free one)")
    _namespace(up)
    _timeout(up, 300)

    down = commands.add_parser("down", help="stop every process of this home; data stays")
    down.add_argument("--delete", action="store_true", help="delete the cluster's data, too")
    _timeout(down, 60)

    commands.add_parser("status", help="what runs here, and what is wrong")

    kubeconfig = commands.add_parser("kubeconfig", help="where the kubeconfig is, for KUBECONFIG=$(klamm kubeconfig)")
    kubeconfig.add_argument("--content", action="store_true", help="print the file itself")

    get = commands.add_parser("get", help="list resources, or print one")
    get.add_argument("kind", metavar="KIND", help="as with kubectl: kafka, kt, pods, svc, …")
    get.add_argument("name", nargs="?", metavar="NAME")
    get.add_argument("-l", "--selector", metavar="LABELS")
    _namespace(get)
    get.add_argument("-A", "--all-namespaces", action="store_true")

    apply = commands.add_parser("apply", help="apply manifests")
    apply.add_argument("files", nargs="+", metavar="FILE")
    apply.add_argument("--dry-run", action="store_true", help="let the API check everything, and write nothing")
    _namespace(apply)

    delete = commands.add_parser("delete", help="delete what manifests name, or one resource")
    delete.add_argument("target", nargs="+", metavar="FILE | KIND NAME")
    delete.add_argument("--no-wait", action="store_true", help="return before it is gone")
    _namespace(delete)
    _timeout(delete, 120)

    logs = commands.add_parser("logs", help="what a pod wrote")
    logs.add_argument("pod", metavar="POD")
    logs.add_argument("-c", "--container", metavar="NAME")
    logs.add_argument("-f", "--follow", action="store_true")
    logs.add_argument("--previous", action="store_true", help="of the run before the last restart")
    logs.add_argument("--tail", type=int, metavar="LINES")
    _namespace(logs)

    execute = commands.add_parser("exec", help="run a command in a pod: klamm exec POD -- COMMAND …")
    execute.add_argument("pod", metavar="POD")
    execute.add_argument("-c", "--container", metavar="NAME")
    execute.add_argument("-i", "--stdin", action="store_true", help="pass this terminal's input on")
    execute.add_argument("-t", "--tty", action="store_true", help="give the command a terminal")
    execute.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- COMMAND …")
    _namespace(execute)

    imports = commands.add_parser("import", help="write manifests for what clients made")
    kinds = imports.add_subparsers(dest="import_kind", metavar="KIND", required=True)
    topics = kinds.add_parser("topics", help="KafkaTopic manifests for topics that have no resource yet")
    topics.add_argument("--cluster", metavar="NAME", help="the Kafka resource (default: the only one)")
    topics.add_argument("--internal", action="store_true", help="Kafka's own topics (__consumer_offsets, …), too")
    _namespace(topics)
    _output(topics)

    commands.add_parser("doctor", help="check what klamm needs of this machine, and say how to mend it")
    for command in commands.choices.values():
        _output(command)
    return top


def _namespace(command: argparse.ArgumentParser) -> None:
    command.add_argument("-n", "--namespace", metavar="NS", help="default: the kubeconfig's current one (kafka)")


def _timeout(command: argparse.ArgumentParser, seconds: int) -> None:
    command.add_argument("--timeout", type=float, default=seconds, metavar="SECONDS", help=f"default {seconds}")


def _output(command: argparse.ArgumentParser) -> None:
    command.add_argument("-o", "--output", choices=("text", "json", "yaml"), default="text")
