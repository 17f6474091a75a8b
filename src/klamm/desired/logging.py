"""Logging configurations: ours by default, with the user's loggers laid over, or the user's file as a whole.

Everything goes to the console, in one line a record: that is where `kubectl logs` looks. An external configuration
comes as text (the operator reads the ConfigMap); without it the default serves, and planning says what is missing.
"""

import re
from collections.abc import Mapping

from klamm.desired.fingerprints import fingerprint
from klamm.desired.properties import Properties
from klamm.resources.custom.process import Logging

_CONSOLE = {
    "log4j.appender.CONSOLE": "org.apache.log4j.ConsoleAppender",
    "log4j.appender.CONSOLE.layout": "org.apache.log4j.PatternLayout",
    "log4j.appender.CONSOLE.layout.ConversionPattern": "%d{ISO8601} %p %m (%c) [%t]%n",
}

KAFKA_LOGGERS = {
    "kafka.root.logger.level": "INFO",
    "log4j.rootLogger": "${kafka.root.logger.level}, CONSOLE",
    "log4j.logger.org.apache.zookeeper": "INFO",
    "log4j.logger.kafka": "INFO",
    "log4j.logger.org.apache.kafka": "INFO",
    "log4j.logger.kafka.request.logger": "WARN",
    "log4j.logger.kafka.network.Processor": "OFF",
    "log4j.logger.kafka.server.KafkaApis": "OFF",
    "log4j.logger.kafka.network.RequestChannel$": "WARN",
    # Kafka's own default is TRACE, into a file of its own; on a console it would drown the rest.
    "log4j.logger.kafka.controller": "INFO",
    "log4j.logger.kafka.log.LogCleaner": "INFO",
    "log4j.logger.state.change.logger": "INFO",
    "log4j.logger.kafka.authorizer.logger": "INFO",
}
ZOOKEEPER_LOGGERS = {
    "zookeeper.root.logger": "INFO",
    "log4j.rootLogger": "${zookeeper.root.logger}, CONSOLE",
}

OPERATOR_LOGGERS = {"name": "klamm", "rootLogger.level": "INFO"}
LOG4J = "log4j.properties"
LOG4J2 = "log4j2.properties"

_LEVEL_ONLY = re.compile(r"^\s*(log4j\.logger\.|log4j\.rootLogger|[\w.]*root\.logger)", re.IGNORECASE)


def log4j(defaults: Mapping[str, str], logging: Logging | None, external: str | None) -> str:
    """The text of log4j.properties for a JVM."""
    return _text({**_CONSOLE, **defaults}, logging, external)


def operator_logging(logging: Logging | None, external: str | None) -> str:
    """The text of log4j2.properties for topic and user operator, which read the root level from it."""
    return _text(OPERATOR_LOGGERS, logging, external)


def appenders_fingerprint(text: str) -> str:
    """Fingerprint of what a running broker does not take over: all but the loggers' levels."""
    return fingerprint("\n".join(line for line in text.removesuffix("\n").split("\n") if not _LEVEL_ONLY.match(line)))


def _text(defaults: Mapping[str, str], logging: Logging | None, external: str | None) -> str:
    if logging and logging.type == "external" and external is not None:
        return external
    properties = Properties()
    properties.section("Written by klamm; change it by `logging` in the resource.")
    loggers = logging.loggers if logging and logging.type == "inline" else {}
    properties.update({**defaults, **loggers}.items())
    return properties.text()
