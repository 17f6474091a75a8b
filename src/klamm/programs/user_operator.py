"""The user operator of one Kafka cluster: credentials, rights and limits of users as KafkaUsers say.

Settings come from the environment, under the names that Strimzi's users know.
"""

import asyncio
import os
import secrets
import string
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random, SystemRandom

import msgspec

from klamm.base.clock import SystemClock
from klamm.base.deadlines import within
from klamm.base.tasks import OnFailure, Supervisor
from klamm.control.controller import Controller
from klamm.control.controller import Settings as LoopSettings
from klamm.control.health import Health
from klamm.control.passes import Pass
from klamm.control.results import Result
from klamm.control.status import PAUSE
from klamm.kafka.errors import Unreachable
from klamm.kafka.link import Link
from klamm.kube.catalogue import KAFKA_USERS
from klamm.kube.client import Client, connect
from klamm.kube.kinds import Name
from klamm.kube.native import SECRETS
from klamm.kube.watching import Watched
from klamm.operators.user.credentials import Validity
from klamm.operators.user.kafka_side import AdminUserStore
from klamm.operators.user.measures import UserMeasures
from klamm.operators.user.reconcile import UserHands, UserReconciler, UserSettings
from klamm.operators.user.secret import OF_USER, user_of
from klamm.planning.maintenance_windows import UnreadableWindow, parse_window
from klamm.programs import entity_operator, process
from klamm.programs.entity_operator import Common
from klamm.programs.process import BadSetting
from klamm.resources.custom.user import KafkaUser
from klamm.resources.native.configuration import Secret

MANAGER = "klamm-user-operator"

AT_ONCE = 20
"""Users that are worked on at a time."""

PATIENCE = 30.0
"""Seconds that a pass waits for Kafka before it makes room for another."""

_LETTERS = string.ascii_letters + string.digits


def new_password(length: int) -> str:
    """Letters and digits only: it stands in shell commands and property files of users."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def trimmed_user(user: KafkaUser) -> KafkaUser:
    """Without others' annotations: kubectl's alone is as large as all the rest."""
    annotations = {key: value for key, value in user.metadata.annotations.items() if key == PAUSE}
    return msgspec.structs.replace(user, metadata=msgspec.structs.replace(user.metadata, annotations=annotations))


def trimmed_secret(secret: Secret) -> Secret:
    """Who it is and who owns it; its content is read when it is needed, and kept nowhere."""
    return Secret(metadata=msgspec.structs.replace(secret.metadata, annotations={}))


async def run(
    common: Common, settings: UserSettings, client: Client, random: Random, environment: Mapping[str, str]
) -> None:
    """Work until SIGTERM."""
    stop = process.told_to_stop()
    clock, link = SystemClock(), Link(common.kafka, random)
    users = Watched(client, KAFKA_USERS, random, namespace=common.namespace, labels=common.labels, trim=trimmed_user)
    kept = Watched(
        client,
        SECRETS,
        random,
        namespace=common.namespace,
        labels={**common.labels, "strimzi.io/kind": OF_USER},
        trim=trimmed_secret,
    )

    async def store() -> AdminUserStore:
        return AdminUserStore(await within(PATIENCE, "Kafka to answer", link.admin()), secrets.token_bytes)

    metrics = process.own_metrics()
    measures = UserMeasures(metrics, common.namespace, common.labels, users.all)
    hands = UserHands(client, users, clock, new_password, store, measures.certificate)
    reconciler = UserReconciler(hands, settings)

    async def reconcile(name: Name, pass_: Pass) -> Result:
        try:
            return await reconciler.reconcile(name, pass_)
        except Unreachable as failure:
            await link.lost(failure)
            raise

    # A pass that waits for Kafka at the end waits for brokers that are stopping too.
    loop = LoopSettings(at_once=AT_ONCE, resync=common.resync, stopping=1.0)
    controller = Controller("KafkaUser", reconcile, clock, random, loop, measures.passes)
    controller.follow(users)
    controller.follow_others(kept, lambda _: None)  # only so that no pass begins before they are listed

    def note(old: Secret | None, new: Secret | None) -> None:
        if new is not None and reconciler.wrote(new):
            return
        if owner := user_of(new or old or Secret()):
            controller.trigger(owner, 0.05)

    kept.subscribe(note)
    health = Health(
        healthy={},
        ready={
            "users": lambda: users.reason_not_fresh,
            "secrets": lambda: kept.reason_not_fresh,
            "kafka": lambda: None if link.answered_once else link.reason_lost,
        },
        metrics=metrics.text,
    )
    async with Supervisor("user operator", random) as tasks:
        tasks.start("watch of kafkausers", users.run)
        tasks.start("watch of secrets", kept.run)
        tasks.start("connection to Kafka", link.admin)
        tasks.start("KafkaUser controller", controller.run, OnFailure.END)
        tasks.start("health", lambda: health.serve(None, common.port), OnFailure.END)
        tasks.start("log level", lambda: process.follow_log_level(environment))
        process.settle()
        await stop.wait()


def read_settings(environment: Mapping[str, str], common: Common) -> UserSettings:
    home = environment.get("STRIMZI_CA_NAMESPACE", common.home)
    cluster = common.cluster.name if common.cluster else ""
    windows = environment.get("STRIMZI_MAINTENANCE_TIME_WINDOWS", "")
    try:
        parsed = tuple(parse_window(text) for text in windows.split(";") if text.strip())
    except UnreadableWindow as error:
        raise BadSetting(f"STRIMZI_MAINTENANCE_TIME_WINDOWS: {error}") from error
    return UserSettings(
        labels=common.labels,
        authority_certificate=Name(home, environment.get("STRIMZI_CA_CERT_NAME", f"{cluster}-clients-ca-cert")),
        authority_key=Name(home, environment.get("STRIMZI_CA_KEY_NAME", f"{cluster}-clients-ca")),
        validity=Validity(
            int(environment.get("STRIMZI_CA_VALIDITY", "365")), int(environment.get("STRIMZI_CA_RENEWAL", "30"))
        ),
        windows=parsed,
        secret_prefix=environment.get("STRIMZI_SECRET_PREFIX", ""),
        acls_supported=environment.get("STRIMZI_ACLS_ADMIN_API_SUPPORTED", "true").lower() == "true",
        password_length=int(environment.get("STRIMZI_SCRAM_SHA_PASSWORD_LENGTH", "32")),
        key_algorithm=environment.get("KLAMM_KEY_ALGORITHM", "EC-P256"),
    )


async def _main(environment: Mapping[str, str]) -> None:
    random = SystemRandom()
    connection = process.api_connection(environment)
    common = entity_operator.read_common(environment, connection.namespace, Path("/etc/euo-certs"), 8081)
    async with connect(connection, MANAGER, random) as client:
        await run(common, read_settings(environment, common), client, random, environment)


def main() -> None:
    environment = dict(os.environ)  # noqa: TID251 (a program reads its environment)
    process.set_up_logs(environment)
    try:
        asyncio.run(_main(environment))
    except BadSetting as error:
        sys.exit(f"user operator: {error}")
    entity_operator.leave()


if __name__ == "__main__":
    main()
