"""kafka-init: from a Node to the files that kafka_run.sh reads."""

import pytest

from klamm.programs.kafka_init import CannotTell, external_address, parse, rack_of


def node(*addresses: tuple[str, str], **labels: str) -> dict[str, object]:
    entries = [{"type": kind, "address": address} for kind, address in addresses]
    return {"metadata": {"labels": labels}, "status": {"addresses": entries}}


def test_names_outside_come_before_addresses_inside() -> None:
    found = external_address(node(("InternalIP", "10.0.0.1"), ("Hostname", "n"), ("ExternalIP", "1.2.3.4")), "n")
    assert found == (
        "export STRIMZI_NODEPORT_DEFAULT_ADDRESS=1.2.3.4\n"
        "export STRIMZI_NODEPORT_EXTERNALIP_ADDRESS=1.2.3.4\n"
        "export STRIMZI_NODEPORT_INTERNALIP_ADDRESS=10.0.0.1\n"
        "export STRIMZI_NODEPORT_HOSTNAME_ADDRESS=n\n"
    )


@pytest.mark.parametrize("address", ["a;b", "$(reboot)", "a b", "a\nb", ""])
def test_what_is_no_address_is_left_out(address: str) -> None:
    found = external_address(node(("ExternalDNS", address), ("InternalIP", "10.0.0.1")), "n")
    assert "DEFAULT_ADDRESS=10.0.0.1\n" in found
    assert "EXTERNALDNS" not in found


def test_a_node_without_addresses_is_an_error() -> None:
    with pytest.raises(CannotTell, match="node n has no address"):
        external_address(node(), "n")


def test_the_rack_is_the_nodes_label() -> None:
    assert rack_of(node(zone="b"), "n", "zone") == "b"
    with pytest.raises(CannotTell, match=r"no label rack.*label the node"):
        rack_of(node(zone="b"), "n", "rack")


def test_answers_are_read_plain_and_chunked() -> None:
    assert parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") == (200, b"{}")
    chunked = b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert parse(chunked) == (403, b"abcde")


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n"]
)
def test_broken_answers_are_refused(answer: bytes) -> None:
    with pytest.raises(OSError, match=r"HTTP|cut off"):
        parse(answer)
