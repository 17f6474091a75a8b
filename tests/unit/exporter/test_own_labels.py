"""Constant labels never meet the ones by which series are told apart."""

import re

from tests.unit.exporter.test_text import series

from klamm.exporter.text import OWN_LABELS


def test_all_labels_of_all_series_are_known_as_our_own() -> None:
    found = {name for one in series() for name in re.findall(r'(\w+)="', one)}
    assert found == OWN_LABELS
