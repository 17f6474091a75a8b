"""Decisions about authorities and leaves: a table whose rows are sentences."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from klamm.planning.authorities.authority import (
    AuthorityRules,
    Create,
    Decision,
    ExpirationPolicy,
    Keep,
    ObservedAuthority,
    Postponed,
    RenewCertificate,
    ReplaceKey,
    WaitForUser,
    decide_authority,
    expired_certificates,
    old_certificate_name,
)
from klamm.planning.authorities.leaf import IssueLeaf, KeepLeaf, ObservedLeaf, PostponedLeaf, decide_leaf
from klamm.planning.authorities.reasons import (
    AskedByAnnotation,
    BroughtByUser,
    CertificateMissing,
    Expired,
    Expiring,
    KeyDoesNotMatch,
    KeyMissing,
    NamesChanged,
    NothingThere,
    SignerChanged,
    Valid,
)

NOW = datetime(2026, 6, 1, 3, 30, tzinfo=UTC)
FAR, NEAR, PAST = NOW + timedelta(days=200), NOW + timedelta(days=29), NOW - timedelta(seconds=1)
NOTHING = ObservedAuthority(
    certificate_secret="kafka/my-cluster-cluster-ca-cert", key_secret="kafka/my-cluster-cluster-ca"
)
WHOLE = replace(NOTHING, not_after=FAR, key_present=True, certificate_generation=4, key_generation=2)
RULES = AuthorityRules()
REPLACING = AuthorityRules(expiration_policy=ExpirationPolicy.REPLACE_KEY)
RENEW_ASKED, REPLACE_ASKED = (
    AskedByAnnotation("strimzi.io/force-renew"),
    AskedByAnnotation("strimzi.io/force-replace"),
)

AUTHORITIES: list[tuple[str, ObservedAuthority, AuthorityRules, bool, Decision]] = [
    ("nothing there: create", NOTHING, RULES, True, Create(NothingThere(), 0, 0)),
    ("creation waits for no window", NOTHING, RULES, False, Create(NothingThere(), 0, 0)),
    ("whole and far from its end: keep", WHOLE, RULES, True, Keep(Valid(FAR))),
    (
        "a lost key is replaced, and the old certificate stays trusted",
        replace(WHOLE, key_present=False),
        RULES,
        False,
        ReplaceKey(KeyMissing(), 5, 3),
    ),
    (
        "a lost certificate is signed again with the same key",
        replace(WHOLE, not_after=None),
        RULES,
        False,
        RenewCertificate(CertificateMissing(), 5, 2),
    ),
    (
        "a key that was stored just before the operator was killed gets its first certificate",
        replace(NOTHING, key_present=True, has_signed=False),
        RULES,
        False,
        RenewCertificate(CertificateMissing(), 0, 0),
    ),
    (
        "a key of another pair is replaced",
        replace(WHOLE, key_matches=False),
        RULES,
        False,
        ReplaceKey(KeyDoesNotMatch(), 5, 3),
    ),
    (
        "renewal asked inside a window",
        replace(WHOLE, force_renew=True),
        RULES,
        True,
        RenewCertificate(RENEW_ASKED, 5, 2),
    ),
    (
        "renewal asked outside of all windows waits",
        replace(WHOLE, force_renew=True),
        RULES,
        False,
        Postponed(RenewCertificate(RENEW_ASKED, 5, 2)),
    ),
    (
        "replacement asked inside a window",
        replace(WHOLE, force_replace=True),
        RULES,
        True,
        ReplaceKey(REPLACE_ASKED, 5, 3),
    ),
    (
        "replacement asked outside of all windows waits",
        replace(WHOLE, force_replace=True),
        RULES,
        False,
        Postponed(ReplaceKey(REPLACE_ASKED, 5, 3)),
    ),
    (
        "near its end the default policy renews the certificate",
        replace(WHOLE, not_after=NEAR),
        RULES,
        True,
        RenewCertificate(Expiring(NEAR, 30), 5, 2),
    ),
    (
        "near its end replace-key replaces the key",
        replace(WHOLE, not_after=NEAR),
        REPLACING,
        True,
        ReplaceKey(Expiring(NEAR, 30), 5, 3),
    ),
    (
        "near its end outside of all windows it waits",
        replace(WHOLE, not_after=NEAR),
        RULES,
        False,
        Postponed(RenewCertificate(Expiring(NEAR, 30), 5, 2)),
    ),
    (
        "past its end it waits for no window",
        replace(WHOLE, not_after=PAST),
        RULES,
        False,
        RenewCertificate(Expired(PAST), 5, 2),
    ),
    (
        "a user's authority is only read, even when it nears its end",
        replace(WHOLE, not_after=NEAR),
        AuthorityRules(generated=False),
        True,
        Keep(BroughtByUser()),
    ),
]


@pytest.mark.parametrize(
    ("observed", "rules", "window_open", "decision"),
    [row[1:] for row in AUTHORITIES],
    ids=[row[0] for row in AUTHORITIES],
)
def test_authority(observed: ObservedAuthority, rules: AuthorityRules, window_open: bool, decision: Decision) -> None:
    assert decide_authority(observed, rules, NOW, window_open=window_open) == decision


def test_a_users_authority_that_is_not_there_says_which_secrets_to_create() -> None:
    decision = decide_authority(NOTHING, AuthorityRules(generated=False), NOW, window_open=True)
    assert isinstance(decision, WaitForUser)
    assert "Secret kafka/my-cluster-cluster-ca-cert" in decision.message
    assert "Secret kafka/my-cluster-cluster-ca with its private key" in decision.message


def test_a_users_key_that_does_not_fit_is_reported() -> None:
    observed = replace(WHOLE, key_matches=False)
    decision = decide_authority(observed, AuthorityRules(generated=False), NOW, window_open=True)
    assert isinstance(decision, WaitForUser)
    assert "does not belong to the certificate" in decision.message


def test_the_boundary_of_the_renewal_period_is_exact() -> None:
    edge = NOW + timedelta(days=30)
    at_edge = decide_authority(replace(WHOLE, not_after=edge), RULES, NOW, window_open=True)
    inside = decide_authority(replace(WHOLE, not_after=edge - timedelta(seconds=1)), RULES, NOW, window_open=True)
    assert isinstance(at_edge, Keep)
    assert isinstance(inside, RenewCertificate)


def test_old_certificates_are_named_by_their_end_and_go_when_it_has_come() -> None:
    assert old_certificate_name(datetime(2026, 1, 31, 10, 5, 9, tzinfo=UTC)) == "ca-2026-01-31T10-05-09Z.crt"
    assert expired_certificates({"a": PAST, "b": FAR, "c": NOW}, NOW) == ["a", "c"]


NAMES = frozenset({"a.svc", "10.0.0.1"})
LEAF = ObservedLeaf(alternative_names=NAMES, not_after=FAR, signed_under=4)
LEAVES: list[tuple[str, ObservedLeaf | None, bool, object]] = [
    ("not there", None, False, IssueLeaf(NothingThere())),
    ("whole", LEAF, True, KeepLeaf(Valid(FAR))),
    ("no key", replace(LEAF, key_present=False), False, IssueLeaf(KeyMissing())),
    ("no certificate", replace(LEAF, not_after=None), False, IssueLeaf(CertificateMissing())),
    ("key of another pair", replace(LEAF, key_matches=False), False, IssueLeaf(KeyDoesNotMatch())),
    (
        "signed under an older generation",
        replace(LEAF, signed_under=3),
        False,
        IssueLeaf(SignerChanged(3, 4)),
    ),
    (
        "names changed",
        replace(LEAF, alternative_names=frozenset({"a.svc", "old"})),
        False,
        IssueLeaf(NamesChanged(("10.0.0.1",), ("old",))),
    ),
    ("near its end, window", replace(LEAF, not_after=NEAR), True, IssueLeaf(Expiring(NEAR, 30))),
    ("near its end, no window", replace(LEAF, not_after=NEAR), False, PostponedLeaf(Expiring(NEAR, 30))),
    ("past its end", replace(LEAF, not_after=PAST), False, IssueLeaf(Expired(PAST))),
]


@pytest.mark.parametrize(
    ("observed", "window_open", "decision"), [row[1:] for row in LEAVES], ids=[row[0] for row in LEAVES]
)
def test_leaf(observed: ObservedLeaf | None, window_open: bool, decision: object) -> None:
    assert decide_leaf(observed, NAMES, 4, 30, NOW, window_open=window_open) == decision


def test_reasons_read_as_sentences() -> None:
    assert str(NamesChanged(("new",), ("old",))) == "its alternative names change: +new, -old"
    assert str(SignerChanged(3, 4)).startswith("it was signed under generation 3")
    assert str(Expiring(NEAR, 30)) == "it ends at 2026-06-30 03:30 UTC, less than 30 days from now"
