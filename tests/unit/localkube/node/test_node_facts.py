"""Small facts of the node: addresses, the pod's files, and what `doctor` says of a host."""

import pytest

from klamm.localkube.node.addresses import AddressPool, hardware_address
from klamm.localkube.node.requirements import Check, mend_for, mends
from klamm.localkube.node.sandboxes import hosts_file, resolver_file


def test_a_freed_address_comes_again_only_after_all_others() -> None:
    pool = AddressPool()
    assert pool.take("kafka/first") == "10.244.0.2"
    pool.give_back("10.244.0.2")
    rest = [pool.take(f"kafka/{number}") for number in range(65533)]
    assert (rest[0], rest[254], rest[-1]) == ("10.244.0.3", "10.244.1.1", "10.244.0.2")


def test_a_pod_made_anew_gets_the_address_that_it_had() -> None:
    pool = AddressPool()
    taken = pool.take("kafka/broker-0")
    assert pool.take("kafka/broker-1") != taken
    pool.give_back(taken)
    assert pool.take("kafka/broker-0") == taken
    assert pool.take("kafka/broker-0") != taken, "its predecessor is not gone yet"


def test_a_links_address_follows_from_its_pods() -> None:
    assert hardware_address("10.244.1.2").hex(":") == "0a:58:0a:f4:01:02"


def test_hosts_name_the_pod_and_its_aliases() -> None:
    spec = {"hostname": "k-0", "domain": "brokers.kafka.svc", "host_aliases": [["10.0.0.1", ["a", "b"]]]}
    assert hosts_file(spec, "10.244.0.2").splitlines()[2:] == ["10.244.0.2 k-0.brokers.kafka.svc k-0", "10.0.0.1 a b"]


def test_a_search_list_of_the_pods_own_replaces_the_clusters() -> None:
    text = resolver_file({"namespace": "kafka", "dns_search": ("own.example",)})
    assert text == "nameserver 10.96.0.10\nsearch own.example\noptions ndots:5\n"


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
        ("/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces="),
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "Ubuntu 24.04"),
        ("/.dockerenv", "", "--security-opt seccomp=unconfined"),
        ("/proc/self/status", "Name:\tx\nSeccomp:\t2\n", "seccomp filter"),
        ("/nothing", "", "dmesg"),
    ],
)
def test_a_host_that_forbids_namespaces_is_told_the_setting(setting: str, value: str, says: str) -> None:
    assert says in mend_for({setting: value}.get)


def test_a_setting_that_forbids_several_things_is_mended_once() -> None:
    checks = [Check("mounts", "refused", "set it"), Check("networks", "refused", "set it"), Check("files", "", "")]
    assert mends(checks) == ["set it"]
