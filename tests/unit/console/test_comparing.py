"""What differs between two brokers' settings and two clusters' topics."""

from tests.builders.snapshots import a_topic

from klamm.console.comparing import Difference, configs_apart, topics_apart
from klamm.kafka.facts import ConfigValue


def value(text: str | None, *, sensitive: bool = False) -> ConfigValue:
    return ConfigValue(text, True, sensitive=sensitive)


def test_only_what_differs_is_told_and_no_secret() -> None:
    one = {"same": value("1"), "other": value("2"), "mine": value("x"), "password": value(None, sensitive=True)}
    other = {"same": value("1"), "other": value("3"), "theirs": value("y"), "password": value("leaked")}
    assert configs_apart(one, other) == (
        Difference("mine", "x", None),
        Difference("other", "2", "3"),
        Difference("theirs", None, "y"),
    )


def test_topics_of_two_clusters() -> None:
    small, large = a_topic("a", (1, (1,), (1,))), a_topic("a", (1, (1, 2), (1, 2)), (1, (1, 2), (1, 2)))
    both = a_topic("b", (1, (1,), (1,)))
    apart = topics_apart({"a": small, "b": both, "mine": both}, {"a": large, "b": both, "theirs": both})
    assert (apart.only_one, apart.only_other, apart.both) == (("mine",), ("theirs",), ("a", "b"))
    assert apart.numbers == {"a": (Difference("partitions", "1", "2"), Difference("replicas", "1", "2"))}
