"""What the cluster's DNS answers, read by a DNS library: codes, cut-off answers, junk."""

import pytest
from dnslib import DNSRecord

from klamm.localkube.node import dns

NAMES = dns.with_parents(
    {
        "my-svc.kafka.svc.cluster.local": ("10.96.0.7",),
        "pods.kafka.svc.cluster.local": ("10.244.0.2", "10.244.0.3"),
    }
)


def _ask(name: str, kind: str = "A", **how: int) -> DNSRecord:
    answer = dns.answer(DNSRecord.question(name, kind).pack(), NAMES, **how)
    assert answer is not None
    return DNSRecord.parse(answer)


@pytest.mark.parametrize(
    ("asked", "kind", "code", "addresses"),
    [
        ("my-svc.kafka.svc.cluster.local", "A", "NOERROR", ["10.96.0.7"]),
        ("MY-SVC.Kafka.svc.cluster.local", "A", "NOERROR", ["10.96.0.7"]),
        ("pods.kafka.svc.cluster.local", "A", "NOERROR", ["10.244.0.2", "10.244.0.3"]),
        ("my-svc.kafka.svc.cluster.local", "AAAA", "NOERROR", []),
        ("kafka.svc.cluster.local", "A", "NOERROR", []),
        ("cluster.local", "A", "NOERROR", []),
        ("nosuch.kafka.svc.cluster.local", "A", "NXDOMAIN", []),
        ("nosuch", "A", "NXDOMAIN", []),
        ("2.0.244.10.in-addr.arpa", "PTR", "NOERROR", ["pods.kafka.svc.cluster.local."]),
        ("9.0.244.10.in-addr.arpa", "PTR", "NXDOMAIN", []),
        ("example.org", "A", "SERVFAIL", []),
    ],
)
def test_a_question_and_its_answer(asked: str, kind: str, code: str, addresses: list[str]) -> None:
    record = _ask(asked, kind)
    assert record.header.get_rcode() == {"NOERROR": 0, "SERVFAIL": 2, "NXDOMAIN": 3}[code]
    assert [str(answer.rdata) for answer in record.rr] == addresses
    assert str(record.q.qname).lower() == asked.lower() + "."


def test_each_answer_begins_with_another_address() -> None:
    first = [str(_ask("pods.kafka.svc.cluster.local", turn=turn).rr[0].rdata) for turn in (0, 1, 2)]
    assert first == ["10.244.0.2", "10.244.0.3", "10.244.0.2"]


def test_an_answer_that_does_not_fit_is_cut_off_and_says_so() -> None:
    record = _ask("pods.kafka.svc.cluster.local", limit=60)
    assert (record.header.tc, record.rr) == (1, [])


@pytest.mark.parametrize("junk", [b"", b"\0" * 11, b"\0\1\x80\0\0\1\0\0\0\0\0\0"])
def test_what_is_no_query_gets_no_answer(junk: bytes) -> None:
    assert dns.answer(junk, NAMES) is None


@pytest.mark.parametrize("body", [b"", b"\x3fabc", b"\xc0\x0c\0\1\0\1", b"\3abc\0\0"])
def test_a_broken_question_is_a_format_error(body: bytes) -> None:
    answer = dns.answer(b"\0\1\1\0\0\1\0\0\0\0\0\0" + body, NAMES)
    assert answer is not None
    assert answer[3] & 15 == 1
