"""One pass over one KafkaUser: credentials in a Secret first, which need no Kafka; then Kafka's side; then the status.

A user whose resource is gone is taken out of Kafka under both of its names. There is no finalizer: what is deleted
while this process is away is not noticed (`docs/decisions`), and nothing ever hangs.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from klamm.base import faults, logs
from klamm.base.clock import Clock
from klamm.control import remarks
from klamm.control import status as conditions
from klamm.control.passes import Pass
from klamm.control.results import DONE, Blocked, Result
from klamm.kube import errors
from klamm.kube.catalogue import KAFKA_USERS
from klamm.kube.client import Client
from klamm.kube.kinds import Name, name_of, version_of
from klamm.kube.native import SECRETS
from klamm.kube.watching import Watched
from klamm.operators.user.credentials import (
    PASSWORD,
    AuthorityMissing,
    ClientsAuthority,
    CredentialMissing,
    Issuing,
    Validity,
    certificate_end,
    certificate_entries,
    scram_entries,
)
from klamm.operators.user.kafka_side import KafkaSide, UserStore
from klamm.operators.user.secret import check_ours, secret_name, stands, wanted_secret
from klamm.planning.maintenance_windows import Window, window_open
from klamm.planning.users import (
    INVALID,
    KAFKA_ERROR,
    SCRAM,
    TLS,
    authentication_of,
    brought_password,
    principal,
    problems,
    wanted_acls,
    wanted_limits,
)
from klamm.resources.custom.status import Condition
from klamm.resources.custom.user import KafkaUser, KafkaUserStatus
from klamm.resources.native.configuration import Secret, entry

_log = logs.room("users")


@dataclass(frozen=True)
class UserSettings:
    """`authority_certificate` and `authority_key` are the Secrets of the clients authority."""

    labels: Mapping[str, str]
    authority_certificate: Name
    authority_key: Name
    validity: Validity
    windows: Sequence[Window] = ()
    secret_prefix: str = ""
    acls_supported: bool = False
    password_length: int = 32
    key_algorithm: str = "EC-P256"


@dataclass(frozen=True)
class UserHands:
    """`new_password` makes a random one of that length; `store` reaches Kafka, waiting for it for a while.

    `note_certificate` is told when each user's certificate ends, None for who has none.
    """

    client: Client
    users: Watched[KafkaUser]
    clock: Clock
    new_password: Callable[[int], str]
    store: Callable[[], Awaitable[UserStore]]
    note_certificate: Callable[[Name, datetime | None], None] = lambda user, end: None


class UserReconciler:
    def __init__(self, hands: UserHands, settings: UserSettings) -> None:
        self._hands = hands
        self._settings = settings
        self._kafka = KafkaSide(settings.acls_supported)
        self._written: dict[Name, str] = {}

    async def reconcile(self, name: Name, pass_: Pass) -> Result:
        user = self._hands.users.get(name)
        if user is None:
            return await self._departed(name)
        if conditions.is_paused(user):
            await self._report(user, conditions.paused())
            return DONE
        try:
            secret = await self._provide(user)
        except faults.Invalid as error:
            await self._report(user, conditions.not_ready(INVALID, str(error)))
            return Blocked(str(error))
        except faults.Transient as error:
            if user.status is None or not user.status.conditions:
                await self._report(user, conditions.not_ready(KAFKA_ERROR, f"{error}. It is tried again."))
            raise
        await self._report(user, conditions.ready(), secret)
        return DONE

    def wrote(self, secret: Secret) -> bool:
        """Whether this is the Secret as we left it: no reason for a pass."""
        return self._written.get(name_of(secret)) == version_of(secret)

    async def _departed(self, name: Name) -> Result:
        """The cache has no such user; only when the API has none either is it taken out of Kafka."""
        there = await self._hands.client.find(KAFKA_USERS, name)
        if there is not None and self._settings.labels.items() <= there.metadata.labels.items():
            return DONE
        await self._kafka.forget(await self._hands.store(), name.name, principal(name.name, None))
        self._written.pop(Name(name.namespace, self._settings.secret_prefix + name.name), None)
        self._hands.note_certificate(name, None)
        return DONE

    async def _provide(self, user: KafkaUser) -> str | None:
        """Credentials and rights; returns the name of the Secret, when the user has one."""
        if wrong := problems(user, self._settings.acls_supported):
            raise InvalidUser(". ".join(wrong))
        name = secret_name(user, self._settings.secret_prefix)
        entries = await self._credentials(user, name)
        who = principal(user.metadata.name or "", authentication_of(user.spec))
        await self._kafka.provide(
            await self._hands.store(),
            user.metadata.name or "",
            who,
            entries[PASSWORD].decode() if PASSWORD in entries else None,
            wanted_acls(user.spec, who.name) if self._settings.acls_supported else frozenset(),
            wanted_limits(user.spec.quotas),
        )
        return name.name if entries else None

    async def _credentials(self, user: KafkaUser, name: Name) -> Mapping[str, bytes]:
        """The entries of the user's Secret, as it is stored now; none for users who bring their own credentials."""
        stored = await self._hands.client.find(SECRETS, name)
        authentication = authentication_of(user.spec)
        if authentication not in (SCRAM, TLS):
            await self._without_secret(user, stored, name)
            self._hands.note_certificate(name_of(user), None)
            return {}
        check_ours(stored, name, user)
        if authentication == SCRAM:
            entries: Mapping[str, bytes] = scram_entries(user.metadata.name or "", await self._password(user, stored))
        else:
            entries = await self._certificate(user, stored)
        self._hands.note_certificate(name_of(user), certificate_end(entries))
        wanted = wanted_secret(user, name, entries)
        if not stands(stored, wanted):
            applied = await self._hands.client.apply(SECRETS, wanted)
            self._written[name] = version_of(applied)
        return entries

    async def _without_secret(self, user: KafkaUser, stored: Secret | None, name: Name) -> None:
        """Delete the Secret that an earlier kind of authentication left; others' Secrets of that name stay."""
        if stored is None or not any(one.uid == user.metadata.uid for one in stored.metadata.owner_references):
            return
        await self._hands.client.delete(SECRETS, name, uid=stored.metadata.uid)
        _log.info(f"Secret {name} was deleted: user {user.metadata.name} has no credentials of ours any more")

    async def _password(self, user: KafkaUser, stored: Secret | None) -> str:
        reference = brought_password(user.spec)
        if reference is None:
            kept = entry(stored, PASSWORD).decode("utf-8", "replace")
            return kept or self._hands.new_password(self._settings.password_length)
        path = "spec.authentication.password.valueFrom.secretKeyRef"
        place = Name(user.metadata.namespace or "", reference.name or "")
        secret = await self._hands.client.find(SECRETS, place)
        if secret is None:
            raise CredentialMissing(f"{path}.name: there is no Secret {place}. Create it")
        password = entry(secret, reference.key or "").decode("utf-8", "replace")
        if not password:
            raise CredentialMissing(f"{path}.key: Secret {place} has nothing under {reference.key!r}. Add a password")
        return password

    async def _certificate(self, user: KafkaUser, stored: Secret | None) -> Mapping[str, bytes]:
        authority = await self._authority()
        now = self._hands.clock.now()
        issuing = Issuing(
            now=now,
            window_open=window_open(self._settings.windows, now),
            password=lambda: self._hands.new_password(12),
            algorithm=self._settings.key_algorithm,
        )
        content = certificate_entries(user.metadata.name or "", stored, authority, self._validity(user), issuing)
        if content.because:
            _log.info(f"the certificate of user {user.metadata.name} is made: {content.because}")
        return content.entries

    def _validity(self, user: KafkaUser) -> Validity:
        """The user's own (API version v1), else the clients authority's."""
        own, common = user.spec.authentication, self._settings.validity
        if own is None:
            return common
        return Validity(own.validity_days or common.days, own.renewal_days or common.renewal_days)

    async def _authority(self) -> ClientsAuthority:
        names = self._settings.authority_certificate, self._settings.authority_key
        certificate = entry(await self._hands.client.find(SECRETS, names[0]), "ca.crt")
        key = entry(await self._hands.client.find(SECRETS, names[1]), "ca.key")
        if not certificate or not key:
            raise AuthorityMissing(f"the clients authority is not there yet (Secrets {names[0]} and {names[1]})")
        return ClientsAuthority(certificate, key)

    async def _report(self, user: KafkaUser, condition: Condition, secret: str | None = None) -> None:
        client, name = self._hands.client, user.metadata.name or ""
        status = KafkaUserStatus(
            conditions=[condition],
            observed_generation=user.metadata.generation,
            username=principal(name, authentication_of(user.spec)).name,
            secret=secret or (user.status.secret if user.status and condition.type != "Ready" else None),
        )
        try:
            await remarks.write(client, KAFKA_USERS, user, user.status, status, self._hands.clock.now())
        except errors.NotFound:
            return


class InvalidUser(faults.Invalid):
    """The resource breaks rules; the message is a sentence for each."""
