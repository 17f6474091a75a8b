"""What every operator's process has in common: settings from its environment, its log, how it is told to stop.

A setting that cannot be used ends the process at its start, with a sentence that names variable, value, rule and mend.
"""

import asyncio
import gc
import logging
import re
import signal
from collections.abc import Mapping
from pathlib import Path

from klamm.base import logs
from klamm.base.clock import SystemClock
from klamm.base.metrics import Metrics
from klamm.base.process_metrics import watch_in_place_of_a_jvm, watch_process
from klamm.kube.connection import Connection, from_kubeconfig, in_cluster

LOG_CONFIGURATION = "/opt/strimzi/custom-config/log4j2.properties"
LOG_LEVEL_EVERY = 30.0

_ROOT_LEVEL = re.compile(
    r"^\s*rootLogger\.level\s*[=:]\s*(?:\$\{env:(?P<variable>\w+)(?::-(?P<default>\w+))?\}|(?P<level>\w+))",
    re.MULTILINE,
)
LEVELS = {
    "ALL": "DEBUG",
    "TRACE": "DEBUG",
    "DEBUG": "DEBUG",
    "INFO": "INFO",
    "WARN": "WARNING",
    "ERROR": "ERROR",
    "FATAL": "CRITICAL",
    "OFF": "CRITICAL",
}
"""log4j's levels in Python's."""


class BadSetting(Exception):
    """A variable of the environment that cannot be used; the message names it and says what it may hold."""


def needed(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        raise BadSetting(f"{name} is not set")
    return environment[name]


def milliseconds(environment: Mapping[str, str], name: str, default: int) -> float:
    """The variable's value in seconds."""
    text = environment.get(name, str(default))
    if not text.isdigit() or not int(text):
        raise BadSetting(f"{name}: {text!r} is no time; write milliseconds, for example {default}")
    return int(text) / 1000


def number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdigit():
        raise BadSetting(f"{name}: {text!r} is no number; write digits, for example {default}")
    return int(text)


def truth(environment: Mapping[str, str], name: str, default: bool) -> bool:
    text = environment.get(name, str(default)).strip().lower()
    if text not in ("true", "false"):
        raise BadSetting(f"{name}: {text!r} is neither true nor false; write one of them")
    return text == "true"


def listed(environment: Mapping[str, str], name: str) -> list[str]:
    """What stands between commas, and is not empty."""
    return [one.strip() for one in environment.get(name, "").split(",") if one.strip()]


def label_pairs(environment: Mapping[str, str], name: str) -> dict[str, str]:
    """`key=value` pairs, separated by commas."""
    pairs = listed(environment, name)
    for pair in pairs:
        if "=" not in pair:
            raise BadSetting(f"{name}: {pair!r} is no pair; write key=value, separated by commas")
    return dict(pair.split("=", 1) for pair in pairs)


def api_connection(environment: Mapping[str, str]) -> Connection:
    """From within a pod; or, for development, through the kubeconfig that KUBECONFIG names."""
    host = environment.get("KUBERNETES_SERVICE_HOST")
    if host is None and (path := environment.get("KUBECONFIG")):
        return from_kubeconfig(Path(path))
    if host is None:
        raise BadSetting("KUBERNETES_SERVICE_HOST is not set; run in a pod, or set KUBECONFIG")
    return in_cluster(host, environment.get("KUBERNETES_SERVICE_PORT", "443"))


def told_to_stop() -> asyncio.Event:
    """Set by SIGTERM and SIGINT."""
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    return stop


def own_metrics() -> Metrics:
    """A process' metrics, what it takes itself among them."""
    now = SystemClock().monotonic
    metrics = Metrics(now)
    watch_process(metrics)
    watch_in_place_of_a_jvm(metrics, now)
    return metrics


def settle() -> None:
    """What was imported stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()


def set_up_logs(environment: Mapping[str, str]) -> None:
    logs.set_up(log_level(environment), "json" if environment.get("KLAMM_LOG_FORM") == "json" else "text")


async def follow_log_level(environment: Mapping[str, str]) -> None:
    """Take over a changed level without a restart, for ever; a kubelet brings a changed ConfigMap within a minute."""
    while True:
        await asyncio.sleep(LOG_LEVEL_EVERY)
        logging.getLogger("klamm").setLevel(log_level(environment))


def log_level(environment: Mapping[str, str]) -> str:
    """The root logger's level in the mounted ConfigMap, in our words.

    It may be a reference, `${env:STRIMZI_LOG_LEVEL:-INFO}`, as in the configuration that Strimzi ships.
    """
    if given := environment.get("KLAMM_LOG_LEVEL"):
        return given
    path = Path(environment.get("KLAMM_LOG_CONFIGURATION", LOG_CONFIGURATION))
    found = _ROOT_LEVEL.search(path.read_text()) if path.is_file() else None
    if found is None:
        return "INFO"
    level = found["level"] or environment.get(found["variable"]) or found["default"] or ""
    return LEVELS.get(level.upper(), "INFO")
