"""The commands and their options. argparse, because it is there and costs 10 ms; the commands' code is imported
only when one of them runs.
"""

import argparse
from collections.abc import Sequence

from klamm import __version__
from klamm.cli.exporter_flags import add_flags

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
    up.add_argument(
        "--monitoring", action="store_true", help="run the installed prometheus (and grafana) with rules and dashboards"
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

    get = commands.add_parser("get", help="list resources, or print some")
    get.add_argument("kind", metavar="KIND[/NAME]", help="as with kubectl: kafka, kt, pods, pods,svc, kafka/my-cluster")
    get.add_argument("names", nargs="*", metavar="NAME")
    get.add_argument("-l", "--selector", metavar="LABELS", help="only those with these labels: app=x,tier!=y")
    _namespace(get)
    get.add_argument("-A", "--all-namespaces", action="store_true", help="of every namespace")

    apply = commands.add_parser("apply", help="apply manifests")
    apply.add_argument("files", nargs="*", metavar="FILE", help="manifests (YAML or JSON; - for standard input)")
    apply.add_argument(
        "-f", "--filename", action="append", default=[], metavar="FILE", help="the same, as kubectl has it"
    )
    apply.add_argument("--dry-run", action="store_true", help="let the API check everything, and write nothing")
    _namespace(apply)

    delete = commands.add_parser("delete", help="delete what manifests name, or resources by name")
    delete.add_argument("target", nargs="*", metavar="FILE | KIND NAME… | KIND/NAME", help="what to delete")
    delete.add_argument("-f", "--filename", action="append", default=[], metavar="FILE", help="what this file names")
    delete.add_argument("--no-wait", action="store_true", help="return before it is gone")
    _namespace(delete)
    _timeout(delete, 120)

    logs = commands.add_parser("logs", help="what a pod wrote")
    logs.add_argument("pod", metavar="POD | KIND/NAME", help="a pod, or what has pods: deploy/NAME, ds/NAME, svc/NAME")
    _container(logs)
    logs.add_argument("-f", "--follow", action="store_true", help="go on with what it will write")
    logs.add_argument("-p", "--previous", action="store_true", help="of the run before the last restart")
    logs.add_argument("--tail", type=int, metavar="LINES", help="only the last ones")
    logs.add_argument("--timestamps", action="store_true", help="each line with its time")
    _namespace(logs)

    execute = commands.add_parser("exec", help="run a command in a pod: klamm exec POD -- COMMAND …")
    execute.add_argument(
        "pod", metavar="POD | KIND/NAME", help="a pod, or what has pods: deploy/NAME, ds/NAME, svc/NAME"
    )
    _container(execute)
    execute.add_argument("-i", "--stdin", action="store_true", help="pass this command's input on")
    execute.add_argument("-t", "--tty", action="store_true", help="give the command a terminal")
    _namespace(execute)
    # Caught only to be answered with the way to write it.
    execute.add_argument("without_dashes", nargs="*", help=argparse.SUPPRESS)
    execute.set_defaults(arguments=[])

    imports = commands.add_parser("import", help="write manifests for what clients made")
    kinds = imports.add_subparsers(dest="import_kind", metavar="KIND", required=True)
    topics = kinds.add_parser("topics", help="KafkaTopic manifests for topics that have no resource yet")
    topics.add_argument("--cluster", metavar="NAME", help="the Kafka resource (default: the only one)")
    topics.add_argument("--internal", action="store_true", help="Kafka's own topics (__consumer_offsets, …), too")
    _namespace(topics)
    _output(topics)

    exporter = commands.add_parser("exporter", help="a Kafka cluster's topics, groups and lags for Prometheus")
    add_flags(exporter)

    console = commands.add_parser("ui", help="the web console of Kafka clusters")
    which = console.add_mutually_exclusive_group()
    which.add_argument(
        "--bootstrap", metavar="HOST:PORT,…", help="brokers of a cluster (default: this home's clusters)"
    )
    which.add_argument("--config", metavar="FILE", help="clusters of a configuration of kafka-ui, in YAML")
    console.add_argument("--name", default="kafka", metavar="NAME", help="what --bootstrap is called (default kafka)")
    console.add_argument("--user", metavar="NAME", help="KafkaUser for listeners of this home that ask who one is")
    console.add_argument("-n", "--namespace", metavar="NS", help="of this home's clusters (default: all)")
    console.add_argument("--host", metavar="ADDRESS", help="where to listen (default 127.0.0.1)")
    console.add_argument("--port", type=int, metavar="PORT", help="default 8080; 0: a free one")

    doctor = commands.add_parser("doctor", help="check what klamm needs of this machine, and say how to mend it")
    doctor.add_argument("--quick", action="store_true", help="do not read every byte of what was downloaded")
    for name, command in commands.choices.items():
        _output(command, _OF_GET if name == "get" else _ALWAYS)
    return top


def split_command(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and the command after the first `--`: its options are not ours to read."""
    if "--" not in arguments:
        return list(arguments), []
    place = list(arguments).index("--")
    return list(arguments[:place]), list(arguments[place + 1 :])


def read(arguments: Sequence[str]) -> argparse.Namespace:
    """Exits with 2 and the usage on a mistake, as argparse does."""
    ours, command = split_command(arguments)
    made = parser()
    if command and ours[:1] != ["exec"]:
        made.error(f"only `klamm exec` takes a command after --: {' '.join(command)}")
    parsed = made.parse_args(ours)
    if parsed.command == "exec":
        parsed.arguments = command
        if parsed.without_dashes:
            words = " ".join(parsed.without_dashes)
            made.error(f"put -- before the command: klamm exec {parsed.pod} -- {words}")
        if not command:
            made.error("exec needs a command after --, for example: klamm exec my-pod -- ls /tmp")
    return parsed


def _container(command: argparse.ArgumentParser) -> None:
    command.add_argument("-c", "--container", metavar="NAME", help="default: the pod's first")


def _namespace(command: argparse.ArgumentParser) -> None:
    command.add_argument("-n", "--namespace", metavar="NS", help="default: the kubeconfig's current one (kafka)")


def _timeout(command: argparse.ArgumentParser, seconds: int) -> None:
    command.add_argument("--timeout", type=float, default=seconds, metavar="SECONDS", help=f"default {seconds}")


_ALWAYS = ("text", "json", "yaml")
_OF_GET = (*_ALWAYS, "wide", "name")


def _output(command: argparse.ArgumentParser, choices: Sequence[str] = _ALWAYS) -> None:
    command.add_argument(
        "-o", "--output", choices=choices, default="text", help=f"form of the answer: {', '.join(choices)}"
    )
