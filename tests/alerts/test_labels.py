"""Fingerprints are Alertmanager's, so that its clients can name an alert to us."""

import pytest

from monitoring.alerts.labels import fingerprint, is_name, without_empty


def test_the_fingerprint_is_alertmanagers() -> None:
    assert fingerprint({"alertname": "Empty"}) == "84b8408c04466701"


def test_the_order_of_labels_does_not_matter() -> None:
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"}) != fingerprint({"a": "12", "b": ""})


def test_a_label_with_an_empty_value_is_not_there() -> None:
    assert without_empty({"alertname": "X", "team": ""}) == {"alertname": "X"}


@pytest.mark.parametrize(
    ("name", "is_good"), [("alertname", True), ("_x9", True), ("9x", False), ("a-b", False), ("é", False)]
)
def test_a_label_is_named_as_prometheus_has_it(name: str, is_good: bool) -> None:
    assert is_name(name) is is_good
