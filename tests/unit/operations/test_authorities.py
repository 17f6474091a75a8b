"""Authorities in their two Secrets: made, renewed, replaced, and mended after a crash between the two writes."""

from datetime import timedelta
from random import Random

import pytest
from tests.builders.api_server import api_registry
from tests.builders.registry_transport import RegistryTransport
from tests.builders.virtual_time import START, LoopClock, in_virtual_time

from klamm.certificates.issue import Subject
from klamm.certificates.read import key_matches
from klamm.desired.labels import Component
from klamm.desired.ownership import owner_reference
from klamm.desired.secrets import Generations, leaf_secret
from klamm.kube import errors
from klamm.kube.client import Client, over
from klamm.kube.kinds import Name
from klamm.kube.native import SECRETS
from klamm.kube.requests import Request
from klamm.localkube.objects import Refused
from klamm.operations.applying import Applier
from klamm.operations.authorities import (
    AuthoritySpec,
    CurrentAuthority,
    UserAuthorityMissing,
    forget_old_authorities,
    reconcile_authority,
)
from klamm.operations.leaves import Issuing, WantedLeaf, decided, leaf
from klamm.planning.authorities.authority import AuthorityRules, Create, Keep, RenewCertificate, ReplaceKey
from klamm.planning.authorities.leaf import IssueLeaf, PostponedLeaf
from klamm.resources.native.configuration import Secret
from klamm.resources.native.metadata import ObjectMeta

CERTIFICATE, KEY = Name("default", "c-cluster-ca-cert"), Name("default", "c-cluster-ca")


def spec(**rules: object) -> AuthoritySpec:
    return AuthoritySpec("c", "default", "cluster-ca", AuthorityRules(**rules), None, {})  # type: ignore[arg-type]


class House:
    def __init__(self) -> None:
        self.transport = RegistryTransport(api_registry())
        self.client: Client = over(self.transport, "klamm-test", Random(1))
        self.days = 0

    async def reconciled(self, **rules: object) -> CurrentAuthority:
        """By an operator that has just started."""
        listed = await self.client.list(SECRETS, "default")
        secrets = {secret.metadata.name or "": secret for secret in listed.items}
        applier, now = Applier(self.client, LoopClock()), START + timedelta(days=self.days)
        return await reconcile_authority(applier, spec(**rules), secrets, "secret", now, window_open=True)

    async def annotate(self, name: Name, annotation: str) -> None:
        await self.client.patch(SECRETS, name, {"metadata": {"annotations": {f"strimzi.io/{annotation}": "true"}}})


@in_virtual_time
async def test_an_authority_is_made_once_and_kept() -> None:
    house = House()
    made = await house.reconciled()
    assert isinstance(made.decision, Create)
    kept = await house.reconciled()
    assert isinstance(kept.decision, Keep)
    assert kept.authority == made.authority


@in_virtual_time
async def test_a_renewed_certificate_keeps_the_key() -> None:
    house = House()
    made = await house.reconciled()
    house.days = 340
    renewed = await house.reconciled()
    assert isinstance(renewed.decision, RenewCertificate)
    assert renewed.authority.key == made.authority.key
    assert (renewed.certificate_generation, renewed.key_generation) == (1, 0)
    assert renewed.older == {}


@in_virtual_time
async def test_a_replaced_key_keeps_the_old_certificate_trusted_until_it_is_forgotten() -> None:
    house = House()
    made = await house.reconciled()
    await house.annotate(KEY, "force-replace")
    replaced = await house.reconciled()
    assert isinstance(replaced.decision, ReplaceKey)
    assert made.authority.certificate in replaced.trusted
    assert isinstance((await house.reconciled()).decision, Keep), "the wish is done"
    applier = Applier(house.client, LoopClock())
    left = await forget_old_authorities(applier, spec(), replaced, "another")
    assert left.older == {}
    stored = await house.client.get(SECRETS, CERTIFICATE)
    assert sorted(stored.data) == ["ca.crt", "ca.p12", "ca.password"]


@in_virtual_time
async def test_a_crash_between_the_two_writes_is_mended() -> None:
    house = House()
    await house.reconciled()
    await house.annotate(KEY, "force-replace")

    def crash(request: Request) -> Refused | None:
        stops = request.method == "PATCH" and request.path.endswith("ca-cert")
        return Refused(500, "InternalError", "the operator dies here") if stops else None

    house.transport.refuse = crash
    with pytest.raises(errors.ServerFault):
        await house.reconciled()
    house.transport.refuse = lambda _: None
    mended = await house.reconciled()
    assert key_matches(mended.authority.certificate, mended.authority.key)
    assert len(mended.older) == 1, "running pods show leaves of the first one"
    assert (mended.certificate_generation, mended.key_generation) == (1, 1), "it went on, and did not begin anew"
    await house.reconciled()
    assert "strimzi.io/replaces-certificate" not in (await house.client.get(SECRETS, KEY)).metadata.annotations


@in_virtual_time
async def test_a_wish_is_done_in_the_same_write_as_what_was_wished() -> None:
    """A crash after it finds nothing left to do."""
    house = House()
    await house.reconciled()
    await house.annotate(CERTIFICATE, "force-renew")
    house.transport.requests.clear()
    renewed = await house.reconciled()
    assert [one for one in house.transport.requests if one.startswith("PATCH")] == [
        "PATCH /api/v1/namespaces/default/secrets/c-cluster-ca",
        "PATCH /api/v1/namespaces/default/secrets/c-cluster-ca-cert",
    ]
    for _ in range(2):
        again = await house.reconciled()
        assert again.certificate_generation == renewed.certificate_generation == 1
    assert "strimzi.io/force-renew" not in (await house.client.get(SECRETS, CERTIFICATE)).metadata.annotations


@in_virtual_time
@pytest.mark.parametrize(("signed", "generation"), [((), 0), ((0,), 1), ((2, 4), 5)])
async def test_a_certificate_that_is_missing_is_newer_than_all_that_leaves_name(
    signed: tuple[int, ...], generation: int
) -> None:
    """Without leaves it was never there: a pass was cut between the key and the certificate."""
    house = House()
    await house.reconciled()
    await house.client.delete(SECRETS, CERTIFICATE)
    for number in signed:
        told = {"strimzi.io/cluster-ca-cert-generation": str(number)}
        await house.client.create(
            SECRETS, Secret(metadata=ObjectMeta(name=f"leaf-{number}", namespace="default", annotations=told))
        )
    assert (await house.reconciled()).certificate_generation == generation


@in_virtual_time
async def test_the_users_own_authority_is_asked_for_and_never_written() -> None:
    house = House()
    with pytest.raises(UserAuthorityMissing, match=r"spec\.clusterCa: .*c-cluster-ca-cert"):
        await house.reconciled(generated=False)
    assert [one for one in house.transport.requests if not one.startswith("GET")] == []


@in_virtual_time
async def test_a_leaf_that_works_is_kept_while_trust_is_spread() -> None:
    house = House()
    current = await house.reconciled()
    wanted = WantedLeaf("a", Subject("a"), frozenset({"a.example"}))
    issuing = Issuing(START, True, lambda: "password")
    decision = decided(wanted, None, current, issuing)
    assert isinstance(decision, IssueLeaf)
    first = leaf(wanted, None, decision, current, issuing)
    owner = owner_reference("v1", "Kafka", ObjectMeta(name="c", uid="u"))
    stored = leaf_secret(Component("c", "c", "kafka"), "s", "default", owner, {"a": first.files}, Generations())
    renamed = WantedLeaf("a", Subject("a"), frozenset({"b.example"}))
    spreading = Issuing(START, True, lambda: "password", spreading=True)
    postponed = decided(renamed, stored, current, spreading)
    assert isinstance(postponed, PostponedLeaf)
    assert leaf(renamed, stored, postponed, current, spreading).files.certificate == first.files.certificate
    assert isinstance(decided(renamed, stored, current, issuing), IssueLeaf)
