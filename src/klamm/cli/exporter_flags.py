"""The flags of `klamm exporter`: kafka_exporter's names and defaults, and a few of our own below them.

What has no use here is accepted, so that a command line that worked goes on working, and said at the start.
"""

import argparse

ACCEPTED = {
    "kafka.version": "versions are asked of the brokers",
    "kafka.allow-auto-topic-creation": "nothing here makes a topic",
    "sasl.handshake": "it is always sent",
    "sasl.aws-region": "there is no AWS IAM here",
    "sasl.disable-PA-FX-FAST": "Kerberos' own configuration says it",
    "sasl.realm": "Kerberos' own configuration says it",
    "sasl.kerberos-config-path": "set KRB5_CONFIG",
    "sasl.kerberos-auth-type": "Kerberos takes what is in its cache or key table",
    "sasl.keytab-path": "set KRB5_CLIENT_KTNAME",
    "log.enable-sarama": "there is no Sarama here",
    "zookeeper.server": "offsets in ZooKeeper are not read",
    "concurrent.enable": "a scrape asks no broker",
    "topic.workers": "brokers are asked in bulk",
}
"""Flags without a use, and why."""

_SWITCHES = frozenset(
    {
        "kafka.allow-auto-topic-creation",
        "sasl.handshake",
        "sasl.disable-PA-FX-FAST",
        "log.enable-sarama",
        "concurrent.enable",
    }
)


def add_flags(command: argparse.ArgumentParser) -> None:
    kafka = command.add_argument_group("the cluster")
    kafka.add_argument(
        "--kafka.server", action="append", metavar="HOST:PORT", help="a broker; may be repeated (default kafka:9092)"
    )
    kafka.add_argument("--kafka.labels", default="", metavar="A=B,C=D", help="labels for every series of the cluster")
    _switch(kafka, "tls.enabled", False, "speak TLS with the brokers")
    kafka.add_argument("--tls.server-name", default="", metavar="NAME", help="the name that brokers' certificates have")
    kafka.add_argument(
        "--tls.ca-file", default="", metavar="FILE", help="whom to trust (default: what the system does)"
    )
    kafka.add_argument("--tls.cert-file", default="", metavar="FILE", help="our own certificate")
    kafka.add_argument("--tls.key-file", default="", metavar="FILE", help="its key")
    _switch(kafka, "tls.insecure-skip-tls-verify", False, "trust anybody")
    _switch(kafka, "sasl.enabled", False, "log in by SASL")
    kafka.add_argument(
        "--sasl.mechanism", default="plain", metavar="NAME", help="plain (default), scram-sha256, scram-sha512, gssapi"
    )
    kafka.add_argument("--sasl.username", default="", metavar="NAME", help="who we are")
    kafka.add_argument(
        "--sasl.password-file", default="", metavar="FILE", help="our password; or in the variable SASL_USER_PASSWORD"
    )
    kafka.add_argument("--sasl.password", default="", help=argparse.SUPPRESS)
    kafka.add_argument("--sasl.service-name", default="kafka", metavar="NAME", help="the brokers' name for Kerberos")
    kafka.add_argument("--sasl.oauthbearer-token-url", default="", help=argparse.SUPPRESS)

    told = command.add_argument_group("what is told")
    told.add_argument("--topic.filter", default=".*", metavar="REGEX", help="only topics that this matches somewhere")
    told.add_argument("--topic.exclude", default="^$", metavar="REGEX", help="and that this does not")
    told.add_argument("--group.filter", default=".*", metavar="REGEX", help="only groups that this matches somewhere")
    told.add_argument("--group.exclude", default="^$", metavar="REGEX", help="and that this does not")
    _switch(told, "offset.show-all", True, "partitions of a group that nobody is assigned, too")
    _switch(told, "use.consumelag.zookeeper", False, argparse.SUPPRESS)
    told.add_argument("--series.max", type=int, default=1_000_000, metavar="N", help="more are left out, and said")

    probe = command.add_argument_group("the end-to-end probe (a record a second, there and back)")
    _switch(probe, "probe.enabled", False, "write and read a topic of its own")
    probe.add_argument("--probe.topic", default="klamm-end-to-end", metavar="NAME", help="it is made when it is absent")
    probe.add_argument("--probe.interval", default="1s", metavar="TIME", help="between two records (default 1s)")
    probe.add_argument("--probe.replicas", type=int, metavar="N", help="of a new topic (default 3, or one a broker)")
    probe.add_argument("--probe.namespace", default="kminion", metavar="NAME", help="what its metrics begin with")

    page = command.add_argument_group("the page")
    page.add_argument(
        "--web.listen-address",
        default="127.0.0.1:9308",
        metavar="HOST:PORT",
        help="default 127.0.0.1:9308; :9308 listens on every address",
    )
    page.add_argument("--web.telemetry-path", default="/metrics", metavar="PATH", help="default /metrics")
    _switch(page, "server.tls.enabled", False, "serve over TLS")
    _switch(page, "server.tls.mutual-auth-enabled", False, "ask those who scrape for a certificate")
    page.add_argument("--server.tls.ca-file", default="", metavar="FILE", help="who may have signed it")
    page.add_argument("--server.tls.cert-file", default="", metavar="FILE", help="the page's certificate")
    page.add_argument("--server.tls.key-file", default="", metavar="FILE", help="its key")

    times = command.add_argument_group("how often and how loud")
    times.add_argument("--refresh.metadata", default="10s", metavar="TIME", help="brokers and topics (default 10s)")
    times.add_argument("--refresh.offsets", default="10s", metavar="TIME", help="groups and offsets (default 10s)")
    times.add_argument("--refresh.log-sizes", default="60s", metavar="TIME", help="sizes of logs (default 60s)")
    times.add_argument("--verbosity", type=int, default=0, metavar="N", help="0 (default); 1 and 2 log more")
    for name in ACCEPTED:
        if name in _SWITCHES:
            _switch(times, name, None, argparse.SUPPRESS)
        else:
            times.add_argument(f"--{name}", help=argparse.SUPPRESS)


def _switch(group: "argparse._ArgumentGroup", name: str, default: bool | None, help: str) -> None:
    group.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=default, help=help)
