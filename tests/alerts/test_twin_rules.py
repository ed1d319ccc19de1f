"""Two rules alike on a real Prometheus, one of them with `for`: their starts reach us as Prometheus has them."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from monitoring.alerts.models import Alert
from tests import prometheus
from tests import world as fleet
from tests.alerts import servers
from tests.embedded.running import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]
RULES = """
groups:
  - name: twins
    interval: 1s
    rules:
      - {alert: AtOnce, expr: "vector(1)"}
      - {alert: AfterFour, expr: "vector(1)", for: 4s}
"""


def test_the_start_of_a_rule_with_for_is_exactly_so_much_later(tmp_path: Path) -> None:
    acme = fleet.team("acme")
    secret = fleet.token(scopes=("write:alerts",), team=acme)
    (tmp_path / "rules.yml").write_text(RULES)
    with servers.web(tmp_path) as ours:
        sender = {
            "path_prefix": "/t/acme",
            "authorization": {"credentials": secret},
            "static_configs": [{"targets": [ours.removeprefix("http://")]}],
        }
        config = yaml.safe_dump({"rule_files": [str(tmp_path / "rules.yml")], "alerting": {"alertmanagers": [sender]}})
        with prometheus.serving(tmp_path / "data", config, "--rules.alert.resend-delay=1s"):
            wait_until(lambda: Alert.objects.filter(name="AfterFour").exists(), 60)
            wait_until(lambda: Alert.objects.filter(name="AtOnce").exists(), 60)
    starts = dict(Alert.objects.filter(team=acme).values_list("name", "starts_at"))
    assert starts["AfterFour"] - starts["AtOnce"] == timedelta(seconds=4)
