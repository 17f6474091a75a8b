"""What the cluster's DNS answers, packet by packet."""

import struct

from klamm.localkube.node import dns


def query(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


TABLE = dns.with_parents(
    {
        "zk-nodes.kafka.svc.cluster.local": ("10.244.0.2", "10.244.0.3"),
        "zk-0.zk-nodes.kafka.svc.cluster.local": ("10.244.0.2",),
    }
)


def test_a_name_leads_to_its_addresses() -> None:
    answer = dns.answer(query("zk-0.zk-nodes.kafka.svc.cluster.local", 1), TABLE)
    assert answer is not None
    assert answer.endswith(bytes([10, 244, 0, 2]))


def test_an_address_leads_back_to_the_pods_own_name() -> None:
    answer = dns.answer(query("2.0.244.10.in-addr.arpa", 12), TABLE)
    assert answer is not None
    assert answer.endswith(b"\x04zk-0\x08zk-nodes\x05kafka\x03svc\x07cluster\x05local\0")


def test_an_address_without_a_pods_name_leads_to_the_services() -> None:
    assert TABLE["3.0.244.10.in-addr.arpa"] == ("zk-nodes.kafka.svc.cluster.local",)
