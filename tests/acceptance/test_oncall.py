"""On-call from outside: one file, one command, alerts by HTTP, and who is paged until one of the people has it."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.acceptance.test_alerting import Site, alert, site, wait_until
from tests.alerts.receiver import Receiver, receiving

pytestmark = pytest.mark.realtime
WAIT_S = 4.0
CONFIG = """
teams:
  - {{slug: acme, name: Acme, members: [{{user: mira, role: lead}}, {{user: tom, role: lead}}, {{user: ana}}]}}
contacts:
  - {{user: mira, methods: [{{name: Phone, webhook: {{url: "{url}/mira"}}, verified: true}}]}}
  - {{user: tom, methods: [{{name: Phone, webhook: {{url: "{url}/tom"}}, verified: true}}]}}
  - {{user: ana, methods: [{{name: Phone, webhook: {{url: "{url}/ana"}}, verified: true}}]}}
schedules:
  - name: primary
    team: acme
    time_zone: Europe/Berlin
    layers:
      - {{name: weeks, people: [ana], every: week, start: "2026-01-05 09:00"}}
      - {{name: now, people: [mira], every: week, start: "2026-01-05 09:00"}}
escalations:
  - name: gpu
    team: acme
    steps: [{{schedule: primary}}, {{wait: 4s}}, {{person: tom}}, {{wait: 4s}}, {{person: ana}}]
alerting:
  - team: acme
    route: {{receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 2s, escalation: {{critical: gpu}}}}
    receivers: [{{name: hook, webhook: [{{url: "{url}/hook"}}]}}]
"""


def pages(receiver: Receiver) -> list[tuple[str, float]]:
    """Who was paged as firing, and when."""
    return [
        (told.path.rpartition("/")[2], told.at)
        for told in receiver.told
        if not told.path.endswith("/hook/hook") and told.document["status"] == "firing"
    ]


def who(receiver: Receiver) -> list[str]:
    return [name for name, _ in pages(receiver)]


def numbered(one: Site, token: str, name: str) -> int:
    """The number of the alert of this name, once it is there."""
    found: list[Any] = []

    def is_there() -> bool:
        found[:] = [row["id"] for row in one.ask("/api/v1/alerts", token)["results"] if row["name"] == name]
        return bool(found)

    wait_until(is_there, 30)
    return int(found[0])


def test_who_is_on_call_is_paged_then_the_next_until_somebody_acknowledges(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLEETLEDGER_NOTIFY_ALLOW", "127.0.0.1")  # a person's own address may not be an internal one
    with receiving() as people, site() as one:
        (one.folder / "fleet.yaml").write_text(CONFIG.format(url=people.url))
        one.run("apply", str(one.folder / "fleet.yaml"))
        token = one.run(
            "token", "create", "--name", "acme", "--scope", "write:alerts", "--scope", "read", "--team", "acme"
        )
        on_call = one.ask("/api/v1/schedules/primary/on-call", token)
        assert [person["username"] for person in on_call["people"]] == ["mira"]

        began = time.time()
        one.ask("/t/acme/api/v2/alerts", token, [alert("Hot", severity="critical")])
        wait_until(lambda: who(people) == ["mira", "tom"], 60, lambda: str(who(people)))
        (_, first_at), (_, second_at) = pages(people)
        assert first_at - began < 4
        assert second_at - first_at == pytest.approx(WAIT_S, abs=1.5)
        number = numbered(one, token, "Hot")
        one.ask(f"/api/v1/alerts/{number}/acknowledge", token, {})
        acknowledged_at = datetime.now(UTC)
        time.sleep(2 * WAIT_S)
        assert who(people) == ["mira", "tom"]
        (run,) = one.ask(f"/api/v1/escalation-runs?alert={number}", token)["results"]
        assert (run["state"], run["pages"], run["sentence"]) == (
            "acknowledged",
            2,
            "Stopped after step 4 of 5: somebody acknowledged.",
        )
        assert abs((datetime.fromisoformat(run["changed_at"]) - acknowledged_at).total_seconds()) < 2

        one.ask("/t/acme/api/v2/alerts", token, [alert("Cold", severity="critical")])
        wait_until(lambda: who(people) == ["mira", "tom", "mira"], 30, lambda: str(who(people)))
        one.ask(f"/api/v1/alerts/{numbered(one, token, 'Cold')}/acknowledge", token, {})
        time.sleep(2 * WAIT_S)
        assert who(people) == ["mira", "tom", "mira"]
