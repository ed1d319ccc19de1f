"""Callers of the API below /t/{team}/, with what they say and are told."""

from datetime import datetime
from typing import Any

import orjson
from django.http import HttpResponse
from django.test import Client

from fleetledger.fleet.models import Team
from tests import world as fleet
from tests.alerts.world import START, after

MATCHER = {"name": "alertname", "value": "Hot", "isRegex": False, "isEqual": True}
ENDPOINTS = [
    ("GET", "api/v2/status"),
    ("GET", "api/v2/alerts"),
    ("POST", "api/v2/alerts"),
    ("GET", "api/v2/alerts/groups"),
    ("GET", "api/v2/silences"),
    ("POST", "api/v2/silences"),
    ("GET", "api/v2/silence/8b1f0b1e-0000-0000-0000-000000000000"),
    ("DELETE", "api/v2/silence/8b1f0b1e-0000-0000-0000-000000000000"),
    ("GET", "api/v2/receivers"),
    ("GET", "api/v2/nothing"),
    ("GET", "-/ready"),
    ("GET", "-/healthy"),
    ("GET", "metrics"),
    ("POST", "webhooks/grafana"),
    ("POST", "webhooks/json"),
]


class Caller:
    """Somebody with a token at a team's address."""

    def __init__(self, client: Client, slug: str, secret: str) -> None:
        self._client, self._slug = client, slug
        self._headers = fleet.bearer(secret) if secret else {}

    def ask(self, method: str, path: str, body: Any = None) -> HttpResponse:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        answer: Any = self._client.generic(
            method, f"/t/{self._slug}/{path}", data=data, content_type="application/json", headers=self._headers
        )
        return answer  # type: ignore[no-any-return]

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json"), answer.content
        return orjson.loads(answer.content)

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        answer = self.ask("POST", path, body)
        return answer.status_code, orjson.loads(answer.content) if answer.content else None

    def fire(self, name: str = "Hot", **labels: str) -> None:
        assert self.post("api/v2/alerts", [{"labels": {"alertname": name, **labels}}]) == (200, None)

    def names(self, query: str = "") -> list[str]:
        return sorted(alert["labels"]["alertname"] for alert in self.get(f"api/v2/alerts{query}"))


def caller_of(client: Client, team: Team, *scopes: str) -> Caller:
    """Somebody with a token of this team's, who may report and handle alerts unless told otherwise."""
    return Caller(client, team.slug, fleet.token(team.slug, scopes or ["write:alerts"], team=team))


def text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def silence_body(**fields: Any) -> dict[str, Any]:
    times = {"startsAt": text(START), "endsAt": text(after(3600))}
    return {"matchers": [MATCHER], "createdBy": "mira", "comment": "known", **times, **fields}
