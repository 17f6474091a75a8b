"""What people load into Prometheus and Grafana."""

import json

import pytest
import yaml

from klamm.programs.generate import CHART, ROOT
from klamm.programs.monitoring_files import chart_files, examples, with_alerts

GENERATED = {
    ROOT / "examples" / "metrics": set(examples()),
    CHART / "files": set(chart_files()),
}


def test_nothing_else_lies_among_the_generated_files() -> None:
    """A dashboard that is gone from the code must not go on being installed."""
    for folder, names in GENERATED.items():
        made_by_hand = {"kafka-metrics.yaml", "kafka-metrics-fast.yaml"}
        found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        assert found - made_by_hand == names


def test_kustomization_names_files_that_are_there() -> None:
    made = yaml.safe_load(examples()["kustomization.yaml"])
    files = [*made["resources"], *(file for one in made["configMapGenerator"] for file in one["files"])]
    assert set(files) <= set(examples())


def test_the_chart_brings_the_rules_of_the_examples() -> None:
    rules = yaml.safe_load(examples()["prometheus-install/prometheus-rules.yaml"])
    assert yaml.safe_load(chart_files()["prometheus-rules.yaml"]) == rules["spec"]
    assert json.loads(chart_files()["grafana-dashboards/strimzi-kafka.json"])["uid"] == "strimzi-kafka"


def test_a_guide_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="needs one"):
        with_alerts("# Page")
