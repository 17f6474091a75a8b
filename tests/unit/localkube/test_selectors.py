from typing import Any

import pytest

from klamm.localkube.selectors import InvalidSelector, equality_selector, label_selector, parse_selector

LABELS = {"app": "kafka", "tier": "data", "size": "3"}


@pytest.mark.parametrize(
    ("text", "selects"),
    [
        ("", True),
        ("app=kafka", True),
        ("app==kafka,tier=data", True),
        ("app=zookeeper", False),
        ("app!=zookeeper", True),
        ("absent!=x", True),
        ("app in (kafka, zookeeper)", True),
        ("app in (zookeeper),tier=data", False),
        ("tier notin (a,b)", True),
        ("absent notin (a)", True),
        ("app", True),
        ("!app", False),
        ("!absent", True),
        ("size>2", True),
        ("size<3", False),
        ("app=", False),
        ("strimzi.io/cluster=my-cluster", False),
    ],
)
def test_a_query_selects_by_its_string(text: str, selects: bool) -> None:
    assert parse_selector(text)(LABELS) is selects


@pytest.mark.parametrize("text", ["a=b,", "=b", "a in b", "a in (b", "a=b=c", "a b", "size>x"])
def test_a_string_that_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(InvalidSelector):
        parse_selector(text)


@pytest.mark.parametrize(
    ("why", "selector", "selects"),
    [
        ("none selects nothing", None, False),
        ("an empty one selects everything", {}, True),
        ("all labels must match", {"matchLabels": {"app": "kafka", "tier": "x"}}, False),
        (
            "labels and expressions hold together",
            {
                "matchLabels": {"app": "kafka"},
                "matchExpressions": [{"key": "tier", "operator": "In", "values": ["data"]}],
            },
            True,
        ),
        ("exists", {"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ("does not exist", {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_a_spec_selects_by_its_selector(why: str, selector: dict[str, Any] | None, selects: bool) -> None:
    assert label_selector(selector)(LABELS) is selects, why


def test_a_service_without_selector_selects_nothing() -> None:
    assert not equality_selector(None)(LABELS)
    assert equality_selector({"app": "kafka"})(LABELS)


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(InvalidSelector, match="'Near'"):
        label_selector({"matchExpressions": [{"key": "a", "operator": "Near"}]})
