"""Stock clients beside Debian's Alertmanager and us: amtool, karma's requests, and a Prometheus that sends."""

import re
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
import yaml
from django.db.models import F
from prometheus_client.parser import text_string_to_metric_families

from fleetledger.fleet.models import Team
from monitoring.alerts.models import Alert, AlertState, IntakeSpan
from tests import prometheus
from tests import world as fleet
from tests.alerts import servers, world
from tests.embedded.running import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]
ROUTE: dict[str, Any] = {
    "receiver": "default",
    "group_by": ["alertname"],
    "group_wait": "1s",
    "group_interval": "5m",
    "repeat_interval": "4h",
    "routes": [
        {"receiver": "pager", "matchers": ['severity="critical"'], "continue": True},
        {"receiver": "mail", "matchers": ['severity=~"warning|critical"'], "group_by": ["team", "alertname"]},
    ],
}
RECEIVERS = [{"name": "default"}, {"name": "pager"}, {"name": "mail"}]
INHIBIT_RULES = [
    {"source_matchers": ['severity="critical"'], "target_matchers": ['severity="warning"'], "equal": ["alertname"]}
]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3}Z| UTC)")


@dataclass(frozen=True, slots=True)
class Server:
    """An Alertmanager's address, with the header that its callers must send."""

    address: str
    headers: dict[str, str]
    client_file: Path

    def amtool(self, *words: str) -> subprocess.CompletedProcess[str]:
        where = [f"--alertmanager.url={self.address}", f"--http.config.file={self.client_file}"]
        return subprocess.run(["amtool", *where, *words], capture_output=True, text=True, check=False, timeout=60)

    def get(self, path: str) -> bytes:
        request = urllib.request.Request(self.address + path, headers=self.headers)  # noqa: S310 our own loopback server
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 as above
            content: bytes = answer.read()
            return content


@pytest.fixture
def acme() -> Team:
    team = fleet.team("acme")
    world.tree(team, ROUTE, RECEIVERS, INHIBIT_RULES)
    return team


@pytest.fixture
def ours(acme: Team, tmp_path: Path) -> Iterator[Server]:
    secret = fleet.token("acme", ["write:alerts"], team=acme)
    client_file = tmp_path / "client.yml"
    client_file.write_text(yaml.safe_dump({"authorization": {"credentials": secret}}))
    with servers.web(tmp_path) as address:
        yield Server(f"{address}/t/acme", fleet.bearer(secret), client_file)


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Server]:
    config = yaml.safe_dump({"route": ROUTE, "receivers": RECEIVERS, "inhibit_rules": INHIBIT_RULES})
    client_file = tmp_path / "no-credentials.yml"
    client_file.write_text("{}\n")
    with servers.alertmanager(tmp_path, config) as address:
        yield Server(address, {}, client_file)


def shape(value: Any) -> Any:
    """A document with the kind of each value in its place; what stands in a list counts once."""
    match value:
        case dict():
            return {key: shape(item) for key, item in sorted(value.items())}
        case list():
            return sorted({orjson.dumps(shape(item)).decode() for item in value})
        case str():
            return "uuid" if UUID.fullmatch(value) else "instant" if INSTANT.fullmatch(value) else "text"
        case _:
            return type(value).__name__


def heard(done: subprocess.CompletedProcess[str]) -> tuple[int, Any]:
    """The exit code with the output: the shape of a document, else the words without what differs by chance."""
    try:
        return done.returncode, shape(orjson.loads(done.stdout))
    except orjson.JSONDecodeError:
        words = UUID.sub("uuid", INSTANT.sub("instant", done.stdout))
        return done.returncode, [re.sub(r"  +", "  ", line).strip() for line in words.splitlines()]


ALERTS: list[list[str]] = [
    ["alert", "add", "Hot", "severity=critical", "team=vision", "--annotation=summary=it is hot"],
    ["alert", "add", "alertname=Hot", "severity=warning", "team=vision", "i=1"],
    ["alert", "add", "Slow", "severity=warning", "team=speech", "--generator-url=http://prom:9090/x"],
    ["alert", "add", "Odd", 'say="zwei größen"'],
    ["alert", "add", "Over", "--start=2020-01-01T00:00:00Z", "--end=2020-01-02T00:00:00Z"],
    ["alert", "add", "Backwards", "--start=2020-01-02T00:00:00Z", "--end=2020-01-01T00:00:00Z"],
    ["alert", "add", "9=x"],
    ["alert", "add"],
]
QUERIES: list[list[str]] = [
    ["alert"],
    ["alert", "query", "-o", "json"],
    ["alert", "query", "-o", "extended"],
    ["alert", "query", "Hot", "-o", "json"],
    ["alert", "query", "severity=~crit.*", "team!=x", "-o", "json"],
    ["alert", "query", "team=nobody"],
    ["alert", "query", "severity=~("],
    ["alert", "query", "--inhibited", "-o", "json"],
    ["alert", "query", "--active", "-o", "json"],
    ["alert", "query", "--silenced", "-o", "json"],
    ["alert", "query", "--unprocessed", "-o", "json"],
    ["alert", "query", "--receiver=pager"],
    ["alert", "query", "--receiver=p.*|m.*"],
    ["alert", "query", "--receiver=("],
]
SILENCES: list[list[str]] = [
    ["silence", "add", "Slow", "--author=mira", "--comment=known", "--duration=1h"],
    ["silence", "add", "alertname=~Odd|Even", "say!=x", "--author=mira", "--comment=", "--duration=30m"],
    ["silence", "add", "alertname=Later", "--start=2090-01-01T00:00:00Z", "--end=2090-01-02T00:00:00Z", "-cx"],
    ["silence", "add", "alertname=", "-cx"],
    ["silence", "add", "alertname=~.*", "-cx"],
    ["silence", "add", "alertname=~(", "-cx"],
    ["silence", "add", "-cx"],
    ["silence", "add", "alertname=Hot"],
    ["silence", "add", "alertname=Hot", "-cx", "--end=2020-01-02T00:00:00Z"],
    ["silence", "query"],
    ["silence", "query", "-o", "json"],
    ["silence", "query", "-o", "extended"],
    ["silence", "query", "-q"],
    ["silence", "query", "alertname=Slow", "-o", "json"],
    ["silence", "query", "say!=x", "-o", "json"],
    ["silence", "query", "--within=45m", "-o", "json"],
    ["silence", "query", "--expired"],
    ["silence", "query", "--created-by=mira", "-q"],
    ["alert", "query", "--silenced", "-o", "json"],
    ["alert", "query", "--active", "-o", "json"],
]
REST: list[list[str]] = [
    ["config", "show"],
    ["config", "routes"],
    ["config", "routes", "test", "severity=critical"],
    ["config", "routes", "test", "severity=warning", "--verify.receivers=mail"],
    ["config", "routes", "test", "severity=none", "--verify.receivers=mail"],
    ["cluster", "show"],
    ["cluster", "show", "-o", "json"],
]
NO_SUCH = "8b1f0b1e-0000-4000-8000-000000000000"


def compared(theirs: Server, ours: Server, commands: Sequence[Sequence[str]]) -> dict[str, int]:
    """Each command's exit code, once both answered it alike."""
    codes = {}
    for words in commands:
        expected, found = heard(theirs.amtool(*words)), heard(ours.amtool(*words))
        assert found == expected, (words, ours.amtool(*words).stderr)
        codes[" ".join(words)] = expected[0]
    return codes


def test_amtool_gets_the_same_answers(theirs: Server, ours: Server, tmp_path: Path) -> None:
    codes = compared(theirs, ours, [*ALERTS, *QUERIES, *SILENCES])
    assert set(codes.values()) == {0, 1}
    _a_silence_lives_alike(theirs, ours, tmp_path)
    compared(theirs, ours, REST[1:])
    assert [server.amtool(*REST[0]).returncode for server in (theirs, ours)] == [0, 0]


def _a_silence_lives_alike(theirs: Server, ours: Server, tmp_path: Path) -> None:
    """It is exported, ended, and imported again; what is unknown is refused."""
    found = []
    for number, server in enumerate((theirs, ours)):
        (silence_id,) = server.amtool("silence", "query", "alertname=Slow", "-q").stdout.split()
        file = tmp_path / f"silences-{number}.json"
        file.write_text(server.amtool("silence", "query", "-o", "json").stdout)
        commands = [
            ["silence", "update", silence_id, "--duration=2h", "--comment=longer", "-o", "json"],
            ["silence", "update", NO_SUCH, "--duration=2h"],
            ["silence", "expire", NO_SUCH],
            ["silence", "expire", "nonsense"],
            ["silence", "import", str(file)],
            ["silence", "import", str(file), "--force"],
            ["silence", "query", "-o", "json"],
            ["silence", "query", "-o", "json", "--expired"],
        ]
        said = [heard(server.amtool(*words)) for words in commands]
        known = server.amtool("silence", "query", "-q").stdout.split()
        said += [heard(server.amtool("silence", "expire", one)) for one in known]
        found.append([*said, heard(server.amtool("silence", "query"))])
    assert found[0][:8] == found[1][:8]
    assert found[0][-1] == found[1][-1]


def test_what_karma_asks_is_answered_alike(theirs: Server, ours: Server) -> None:
    compared(theirs, ours, [*ALERTS[:4], *SILENCES[:2]])
    for path in ("status", "silences", "alerts/groups", "alerts", "receivers"):
        expected, found = (orjson.loads(server.get(f"/api/v2/{path}")) for server in (theirs, ours))
        assert shape(found) == shape(expected), path
    for server in (theirs, ours):
        families = text_string_to_metric_families(server.get("/metrics").decode())
        (info,) = (family for family in families if family.name == "alertmanager_build_info")
        assert info.samples[0].labels["version"] == "0.25.0"
        assert server.get("/-/ready") == server.get("/-/healthy") == b"OK"


def test_both_group_and_inhibit_alike(theirs: Server, ours: Server) -> None:
    compared(theirs, ours, ALERTS[:4])
    assert _groups(ours) == _groups(theirs)


def _groups(server: Server) -> list[Any]:
    """What each group is and has. The order of an alert's receivers is by chance there."""
    found = orjson.loads(server.get("/api/v2/alerts/groups"))
    return [(group["receiver"], group["labels"], list(map(_member, group["alerts"]))) for group in found]


def _member(alert: dict[str, Any]) -> tuple[Any, ...]:
    names = sorted(receiver["name"] for receiver in alert["receivers"])
    return alert["fingerprint"], alert["labels"], names, alert["status"]


def test_a_body_in_chunks_is_read_and_its_size_is_limited(acme: Team, ours: Server) -> None:
    found = [_in_chunks(ours, size) for size in (100, 5_000_001)]
    assert found == [200, 413]
    assert Alert.objects.get().name == "Chunked"


def _in_chunks(server: Server, size: int) -> int:
    """The status of a post without a length, as curl and some webhooks send it."""
    address = urlsplit(server.address)
    content = b'[{"labels":{"alertname":"Chunked"}}' + b" " * size + b"]"
    connection = HTTPConnection(address.netloc, timeout=30)
    try:
        connection.request(
            "POST",
            f"{address.path}/api/v2/alerts",
            body=iter([content[:10], content[10:]]),
            headers=server.headers | {"Content-Type": "application/json"},
            encode_chunked=True,
        )
        return connection.getresponse().status
    finally:
        connection.close()


def test_each_web_process_says_that_it_can_take_alerts(ours: Server) -> None:
    wait_until(lambda: IntakeSpan.objects.filter(until_at__gt=F("from_at")).exists(), 60)
    assert IntakeSpan.objects.count() == 1


RULES = """
groups:
  - name: rules
    interval: 1s
    rules:
      - {alert: Always, expr: "vector(1)", labels: {severity: critical}, annotations: {summary: "{{ $value }}"}}
      - {alert: UntilItEnds, expr: "vector(time()) < %d"}
"""


def test_a_stock_prometheus_sends_without_an_error(acme: Team, ours: Server, tmp_path: Path) -> None:
    with prometheus.serving(tmp_path / "empty"):
        pass  # what it takes to start, so that the alert that ends is still firing when it is first sent
    secret = ours.headers["authorization"].removeprefix("Bearer ")
    target = ours.address.removeprefix("http://").removesuffix("/t/acme")
    sender = {
        "path_prefix": "/t/acme",
        "authorization": {"credentials": secret},
        "static_configs": [{"targets": [target]}],
    }
    rules = tmp_path / "rules.yml"
    ends_at = _epoch() + 25
    rules.write_text(RULES % ends_at)
    config = {
        "global": {"evaluation_interval": "1s", "external_labels": {"cluster": "c1"}},
        "rule_files": [str(rules)],
        "alerting": {"alertmanagers": [sender]},
    }
    with prometheus.serving(
        tmp_path / "data",
        yaml.safe_dump(config),
        "--rules.alert.resend-delay=1s",
        "--web.external-url=http://prom-a:9090",
    ) as address:
        wait_until(lambda: _state("UntilItEnds") == AlertState.FIRING, 60)
        at_first = _sums(address)  # until it has found us it drops what it has to say
        wait_until(lambda: _state("UntilItEnds") == AlertState.RESOLVED, 90)
        sums = _sums(address)
    assert sums["prometheus_notifications_sent_total"] >= 10
    assert sums["prometheus_notifications_errors_total"] == 0
    assert sums["prometheus_notifications_dropped_total"] == at_first["prometheus_notifications_dropped_total"]
    always = Alert.objects.get(name="Always")
    assert (always.team, always.state, always.labels["cluster"]) == (acme, AlertState.FIRING, "c1")
    assert always.generator_url.startswith("http://prom-a:9090/graph?")
    assert always.reports.get().times >= 5
    assert always.episodes.count() == 1


def _epoch() -> int:
    from django.utils import timezone

    return int(timezone.now().timestamp())


def _state(name: str) -> str:
    return Alert.objects.filter(name=name).values_list("state", flat=True).first() or ""


def _sums(address: str) -> dict[str, float]:
    """Prometheus' own numbers, each summed over its Alertmanagers."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:  # noqa: S310 our own loopback server
        families = list(text_string_to_metric_families(answer.read().decode()))
    sums: dict[str, float] = {}
    for sample in (sample for family in families for sample in family.samples):
        sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums
