"""Wrong settings are found before the first request, each with an id and a hint."""

from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings


def ours() -> dict[str, CheckMessage]:
    found = run_checks(include_deployment_checks=True)
    return {str(item.id): item for item in found if str(item.id).startswith("fleetledger.")}


def test_the_settings_of_the_tests_are_right() -> None:
    assert ours() == {}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"SECRET_KEY": "short"}, "fleetledger.E001"),
        ({"BASE_URL": "gpu.example.org"}, "fleetledger.E002"),
        ({"HTTPS": True, "ALLOWED_HOSTS": ["gpu.example.org"]}, "fleetledger.W001"),
        ({"REDIS_URL": "localhost:6379"}, "fleetledger.E004"),
        ({"REST_FRAMEWORK": {"DEFAULT_THROTTLE_RATES": {"caller": "often"}}}, "fleetledger.E005"),
        ({"SMTP_HOST": "mail.example.org"}, "fleetledger.E006"),
        ({"DEADMAN_URL": "hc-ping.com/x"}, "fleetledger.E007"),
        ({"HTTPS": True, "BASE_URL": "https://gpu.example.org", "ALLOWED_HOSTS": ["*"]}, "fleetledger.W002"),
    ],
)
def test_a_wrong_setting_is_found_with_a_hint(settings: dict[str, Any], expected: str) -> None:
    with override_settings(**settings):
        found = ours()
    assert list(found) == [expected]
    assert found[expected].hint
