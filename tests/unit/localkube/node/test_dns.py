

def test_an_address_leads_back_to_the_pods_own_name() -> None:
    table = dns.with_parents(
        {
            "zk-nodes.kafka.svc.cluster.local": ("10.244.0.2", "10.244.0.3"),
            "zk-0.zk-nodes.kafka.svc.cluster.local": ("10.244.0.2",),
        }
    )
    assert table["2.0.244.10.in-addr.arpa"] == ("zk-0.zk-nodes.kafka.svc.cluster.local",)
    assert table["3.0.244.10.in-addr.arpa"] == ("zk-nodes.kafka.svc.cluster.local",)
