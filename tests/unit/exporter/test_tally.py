"""What the probe counts."""

from klamm.exporter.tally import LOST_AFTER, Tally


def said(tally: Tally) -> dict[str, float]:
    lines = [line.rsplit(" ", 1) for line in tally.text().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def test_a_record_goes_and_comes_back() -> None:
    tally = Tally("kminion")
    tally.sent(0, "a", at=10.0)
    assert said(tally)['kminion_end_to_end_messages_produced_in_flight{partition_id="0"}'] == 1
    tally.acknowledged(0, 0.004)
    tally.received(0, "a", at=10.03)
    now = said(tally)
    assert now['kminion_end_to_end_messages_produced_in_flight{partition_id="0"}'] == 0
    assert now['kminion_end_to_end_messages_received_total{partition_id="0"}'] == 1
    produce, roundtrip = "kminion_end_to_end_produce_latency_seconds", "kminion_end_to_end_roundtrip_latency_seconds"
    assert now[f'{produce}_bucket{{partition_id="0",le="0.005"}}'] == 1
    assert [now[f'{roundtrip}_bucket{{partition_id="0",le="{bound}"}}'] for bound in ("0.02", "0.04", "+Inf")] == [
        0,
        1,
        1,
    ]
    assert now[f'{roundtrip}_sum{{partition_id="0"}}'] == 0.03
    assert now[f'{roundtrip}_count{{partition_id="0"}}'] == 1


def test_a_record_that_does_not_come_back_is_lost_once() -> None:
    tally = Tally("")
    tally.sent(0, "a", at=10.0)
    tally.give_up(10.0 + LOST_AFTER)
    assert said(tally)['end_to_end_messages_lost_total{partition_id="0"}'] == 0
    tally.give_up(10.1 + LOST_AFTER)
    tally.received(0, "a", at=11.0 + LOST_AFTER)
    now = said(tally)
    assert now['end_to_end_messages_lost_total{partition_id="0"}'] == 1
    assert now['end_to_end_messages_received_total{partition_id="0"}'] == 0


def test_a_record_that_was_not_taken_is_no_lost_one() -> None:
    tally = Tally("x")
    tally.sent(1, "a", at=10.0)
    tally.failed(1, "a")
    tally.give_up(100.0)
    now = said(tally)
    assert now['x_end_to_end_messages_produced_failed_total{partition_id="1"}'] == 1
    assert now['x_end_to_end_messages_lost_total{partition_id="1"}'] == 0


def test_records_of_others_are_passed_over() -> None:
    tally = Tally("x")
    tally.received(0, "somebody else's", at=1.0)
    assert tally.text() == ""
