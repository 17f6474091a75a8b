"""The three steps from an old authority to a new one, also taken up half-way."""

import pytest

from klamm.planning.authorities.trust import (
    DropOld,
    IssueLeaves,
    PodTrust,
    Settled,
    SpreadTrust,
    TrustStep,
    decide_trust,
)


def pods(*generations: tuple[int, int]) -> list[PodTrust]:
    return [PodTrust(f"p{n}", certificate, key) for n, (certificate, key) in enumerate(generations)]


ROWS: list[tuple[str, list[PodTrust], bool, TrustStep]] = [
    ("the key was just replaced", pods((0, 0), (0, 0)), True, SpreadTrust(0, ("p0", "p1"))),
    ("half of the pods trust both", pods((0, 1), (0, 0)), True, SpreadTrust(0, ("p1",))),
    ("all trust both, none shows a new leaf", pods((0, 1), (0, 1)), True, IssueLeaves(("p0", "p1"))),
    ("half of them show a new leaf", pods((1, 1), (0, 1)), True, IssueLeaves(("p1",))),
    ("all show a new leaf", pods((1, 1), (1, 1)), True, DropOld()),
    ("nothing old is left", pods((1, 1), (1, 1)), False, Settled()),
    ("no pods yet", [], False, Settled()),
]


@pytest.mark.parametrize(("running", "old", "step"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_trust(running: list[PodTrust], old: bool, step: TrustStep) -> None:
    assert decide_trust(running, 1, 1, old_certificates=old) == step


def test_a_renewed_certificate_needs_no_spreading() -> None:
    """The key stayed, so what it signed before is still trusted: one roll with new leaves is enough."""
    assert decide_trust(pods((0, 0)), 1, 0, old_certificates=False) == IssueLeaves(("p0",))


def test_rolling_pod_by_pod_ends_settled_and_peers_always_trust_one_another() -> None:
    """Each pass does the step for one pod; a pod's leaf is trusted by all others at every moment."""
    running, old = pods((0, 0), (0, 0), (0, 0)), True
    for _ in range(20):
        step = decide_trust(running, 1, 1, old_certificates=old)
        if isinstance(step, Settled):
            break
        if isinstance(step, DropOld):
            old = False
        else:
            name = step.waiting[0]
            leaf = step.leaf_generation if isinstance(step, SpreadTrust) else 1
            running = [PodTrust(name, leaf, 1) if pod.pod == name else pod for pod in running]
        for a in running:
            for b in running:
                assert a.certificate_generation == 0 or b.key_generation == 1, (a, b)
                assert a.certificate_generation == 1 or old, "an old leaf is still trusted"
    assert decide_trust(running, 1, 1, old_certificates=old) == Settled()
