"""Each channel says what its receiver must know, in the receiver's own form, and ends within its deadline."""

import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from monitoring.alerts.channels import Outcome, Verdict, send
from monitoring.alerts.channels.apprise_process import Guard
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.message import RESOLVED, AlertLine, Message
from tests.alerts.delivery_world import line
from tests.alerts.mailbox import Mailbox, Manners, mailbox
from tests.alerts.receiver import CLOSE, HANG, Receiver, Reply, receiving

KEY = UUID("5f0f6a1e-6f3e-4f7e-9a51-2d9d3c3b7f10")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def server_mailbox() -> Iterator[Mailbox]:
    with mailbox() as server:
        yield server


def message(*alerts: AlertLine, **more: Any) -> Message:
    values: dict[str, Any] = {
        "key": KEY,
        "kind": "firing",
        "tenant": "vision",
        "receiver": "on-call",
        "group_key": '{}:{alertname="Hot"}',
        "group_labels": {"alertname": "Hot"},
        "alerts": alerts or (line(fingerprint="84b8408c04466701"),),
        "external_url": "https://gpu.example.org",
    }
    return Message(**values | more)


def tell(kind: str, told: Message, deadline_s: float = 5.0, **config: Any) -> Outcome:
    return send(kind, told, config, deadline_s)


def test_a_webhook_gets_alertmanagers_version_4(receiver: Receiver) -> None:
    told = message(
        line(fingerprint="a" * 16, labels={"alertname": "Hot", "gpu": "0"}),
        line(fingerprint="b" * 16, status=RESOLVED, labels={"alertname": "Hot", "gpu": "1"}),
    )
    assert tell("webhook", told, url=receiver.url) == Outcome(Verdict.DELIVERED, 200, "200 Word ok")
    assert receiver.told[0].document == {
        "version": "4",
        "groupKey": '{}:{alertname="Hot"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "on-call",
        "groupLabels": {"alertname": "Hot"},
        "commonLabels": {"alertname": "Hot"},
        "commonAnnotations": {"summary": "Hot it is"},
        "externalURL": "https://gpu.example.org",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "Hot", "gpu": "0"},
                "annotations": {"summary": "Hot it is"},
                "startsAt": "2026-11-02T12:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
                "fingerprint": "a" * 16,
            },
            {
                "status": "resolved",
                "labels": {"alertname": "Hot", "gpu": "1"},
                "annotations": {"summary": "Hot it is"},
                "startsAt": "2026-11-02T12:00:00Z",
                "endsAt": "2026-11-02T12:05:00Z",
                "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
                "fingerprint": "b" * 16,
            },
        ],
    }
    assert receiver.keys == [str(KEY)]


def test_a_webhook_says_how_many_alerts_it_leaves_out(receiver: Receiver) -> None:
    tell("webhook", message(line("A"), line("B"), line("C")), url=receiver.url, max_alerts=2)
    document = receiver.told[0].document
    assert ([alert["labels"]["alertname"] for alert in document["alerts"]], document["truncatedAlerts"]) == (
        ["A", "B"],
        1,
    )


def test_a_webhook_is_signed_over_its_time_and_its_body(receiver: Receiver) -> None:
    tell("webhook", message(), url=receiver.url, secret="our secret", headers={"X-Own": "yes"})
    told = receiver.told[0]
    at, _, found = told.headers["x-fleetledger-signature"].partition(",")
    seconds = at.removeprefix("t=")
    expected = hmac.new(b"our secret", f"{seconds}.".encode() + told.raw, hashlib.sha256).hexdigest()
    assert found == f"v1={expected}"
    assert abs(int(seconds) - time.time()) < 60
    assert told.headers["x-own"] == "yes"


def test_a_name_and_a_password_in_an_address_are_its_credentials() -> None:
    with receiving(decide=lambda told: Reply(200, body=told.headers["authorization"])) as server:
        outcome = tell("webhook", message(), url=server.url.replace("http://", "http://mira:p%40ss@"))
    assert outcome.answer == "200 Word Basic bWlyYTpwQHNz"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.DELIVERED),
        (204, Verdict.DELIVERED),
        (301, Verdict.REFUSED),
        (400, Verdict.REFUSED),
        (404, Verdict.REFUSED),
        (408, Verdict.RETRY),
        (425, Verdict.RETRY),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (503, Verdict.RETRY),
    ],
)
def test_a_status_is_read_as_delivered_retry_or_refused(status: int, verdict: Verdict) -> None:
    with receiving(Reply(status)) as server:
        outcome = tell("webhook", message(), url=server.url)
    assert (outcome.verdict, outcome.status) == (verdict, status)


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving(Reply(307, {"Location": receiver.url})) as server:
        outcome = tell("webhook", message(), url=server.url)
    assert outcome.answer == "307: it points to another address, which is not followed. Configure the final one."
    assert receiver.told == []


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(CLOSE), "closed the connection without an answer."),
        (Reply(HANG), "gave no answer within 0.5 s."),
        (Reply(feed_s=0.1), "gave no answer within 0.5 s."),
    ],
)
def test_a_receiver_that_closes_hangs_or_drips_is_left_within_the_deadline(reply: Reply, words: str) -> None:
    with receiving(reply) as server:
        began = time.monotonic()
        outcome = tell("webhook", message(), 0.5, url=server.url)
        took = time.monotonic() - began
    assert (outcome.verdict, outcome.status) == (Verdict.RETRY, None)
    assert outcome.answer == f"127.0.0.1:{server.server_address[1]} {words}"
    assert took < 5


def test_a_body_that_never_ends_delays_no_verdict() -> None:
    with receiving(Reply(200, body="x" * 1000, body_s=0.2)) as server:
        began = time.monotonic()
        outcome = tell("webhook", message(), 10, url=server.url)
    assert outcome.verdict is Verdict.DELIVERED
    assert time.monotonic() - began < 8


def test_nobody_there_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outcome = tell("webhook", message(), url=f"http://127.0.0.1:{port}/x")
    assert outcome == Outcome(Verdict.RETRY, None, f"127.0.0.1:{port} took no connection (Connection refused).")
    unknown = tell("webhook", message(), url="http://no-such-host.invalid/x")
    assert (unknown.verdict, unknown.answer.partition(" (")[0]) == (
        Verdict.RETRY,
        "The name no-such-host.invalid cannot be resolved",
    )


@pytest.mark.parametrize("url", ["ftp://x/y", "http://", "not a url", "http://a:b:c/", "http://h/ä"])
def test_an_address_that_is_none_is_refused_without_being_said(url: str) -> None:
    outcome = tell("webhook", message(), url=url)
    assert outcome == Outcome(
        Verdict.REFUSED, None, "The address is no http:// or https:// URL. Mend the receiver's url."
    )


def test_an_untrusted_certificate_is_said_and_its_own_authority_trusted(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with receiving() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        url = f"https://localhost:{server.server_address[1]}/x"
        untrusted = tell("webhook", message(), url=url)
        trusted = tell("webhook", message(), url=url, ca_file=str(certificate))
        anybody = tell("webhook", message(), url=url, insecure_skip_verify=True)
    assert "The certificate of localhost:" in untrusted.answer
    assert [untrusted.verdict, trusted.verdict, anybody.verdict] == [
        Verdict.RETRY,
        Verdict.DELIVERED,
        Verdict.DELIVERED,
    ]


def test_a_channels_own_mistake_is_an_outcome_and_tells_no_secret() -> None:
    outcome = tell("pagerduty", message())
    assert outcome == Outcome(Verdict.RETRY, None, "The channel broke (KeyError).")
    assert tell("pigeon", message()).answer == "No channel is called 'pigeon'."


def test_slack_gets_a_title_and_each_alert_and_nobody_is_mentioned(receiver: Receiver) -> None:
    told = message(line(annotations={"summary": "<!channel> & so on", "runbook_url": "https://run.example.org/hot"}))
    outcome = tell("slack", told, url=receiver.url, channel="#gpus", username="Fleet")
    assert outcome.verdict is Verdict.DELIVERED
    document = receiver.told[0].document
    assert (document["text"], document["channel"], document["username"]) == ("*[FIRING:1] Hot*", "#gpus", "Fleet")
    assert document["attachments"][0]["title"] == "Hot (firing)"
    assert document["attachments"][0]["text"].splitlines() == [
        "&lt;!channel&gt; &amp; so on",
        "instance=node-a, severity=warning",
        "<https://run.example.org/hot>",
        "<http://prometheus:9090/graph?g0.expr=x>",
    ]


def test_a_link_that_is_none_mentions_nobody_and_goes_nowhere(receiver: Receiver) -> None:
    odd = {"runbook_url": "!channel", "dashboard_url": "javascript:alert(1)"}
    told = message(line(annotations=odd, generator_url="http://prometheus/|http://bank.example.org"))
    assert tell("slack", told, url=receiver.url).verdict is Verdict.DELIVERED
    assert receiver.told[0].document["attachments"][0]["text"].splitlines() == [
        "instance=node-a, severity=warning",
        "<http://prometheus/%7Chttp://bank.example.org>",
    ]


def events(server: Receiver) -> list[tuple[str, str]]:
    return [(told.document["event_action"], told.document["dedup_key"]) for told in server.told]


def test_pagerduty_gets_one_event_for_each_alert_under_one_key_from_trigger_to_resolve() -> None:
    firing = line("A", fingerprint="a" * 16, episode_id=7)
    with receiving(Reply(202)) as server:
        for told in (
            message(firing, line("B", episode_id=8)),
            message(replace(firing, is_acknowledged=True), group_key="another"),
            message(replace(firing, status=RESOLVED)),
        ):
            assert tell("pagerduty", told, url=server.url, routing_key="R" * 32).verdict is Verdict.DELIVERED
    found = events(server)
    assert [action for action, _ in found] == ["trigger", "trigger", "acknowledge", "resolve"]
    assert found[0][1] == found[2][1] == found[3][1] != found[1][1]
    assert server.told[0].document["payload"] == {
        "summary": "A: A it is",
        "source": "node-a",
        "severity": "warning",
        "timestamp": "2026-11-02T12:00:00+00:00",
        "group": '{}:{alertname="Hot"}',
        "class": "A",
        "custom_details": {
            "labels": {"alertname": "A", "severity": "warning", "instance": "node-a"},
            "annotations": {"summary": "A it is"},
        },
    }
    assert server.told[0].document["routing_key"] == "R" * 32


def test_another_episode_or_receiver_is_another_incident() -> None:
    with receiving(Reply(202)) as server:
        for told in (
            message(line(fingerprint="a" * 16, episode_id=1)),
            message(line(fingerprint="a" * 16, episode_id=2)),
            message(line(fingerprint="a" * 16, episode_id=1), receiver="other"),
        ):
            tell("pagerduty", told, url=server.url, routing_key="R")
    assert len({key for _, key in events(server)}) == 3


def test_pagerduty_is_delivered_when_all_events_are_and_goes_on_where_it_stopped() -> None:
    told = message(line("A", episode_id=1), line("B", episode_id=2), line("C", episode_id=3))
    with receiving(Reply(202), Reply(429, {"Retry-After": "9"}), Reply(202)) as server:
        first = tell("pagerduty", told, url=server.url, routing_key="R")
        second = tell("pagerduty", replace(told, accepted=first.accepted), url=server.url, routing_key="R")
    assert (first.verdict, first.retry_after_s, len(first.accepted)) == (Verdict.RETRY, 9.0, 1)
    assert first.answer == "429 Word ok (1 of 3 events were taken)"
    assert (second.verdict, second.answer) == (Verdict.DELIVERED, "3 events were taken.")
    keys = [key for _, key in events(server)]
    assert keys == [keys[0], keys[1], keys[1], keys[3]]


def test_a_mail_says_it_in_words_and_threads_with_its_group(server_mailbox: Mailbox) -> None:
    told = message(group_labels={"alertname": "Hot", "node": "a\r\nBcc: x@example.org"})
    config: dict[str, Any] = {"to": "Mira <mira@example.org>, sre@example.org", "from": "fleet@example.org"}
    outcome = tell("email", told, smarthost=server_mailbox.address, **config)
    assert outcome == Outcome(Verdict.DELIVERED, 250, f"{server_mailbox.address} took it for 2.")
    tell("email", replace(told, key=UUID(int=1)), smarthost=server_mailbox.address, **config)
    first, second = map(parsed, server_mailbox.mails)
    assert server_mailbox.recipients[:2] == ["mira@example.org", "sre@example.org"]
    assert first["Subject"] == "[FIRING:1] Hot node=a Bcc: x@example.org"
    assert first["Message-ID"] == f"<{KEY}@gpu.example.org>"
    assert first["References"] == first["In-Reply-To"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert first["Bcc"] is None
    body = first.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines()[:2] == ["Hot (firing), since 2026-11-02 12:00:00 UTC", "Hot it is"]


@pytest.mark.parametrize(
    ("manners", "verdict", "words"),
    [
        (Manners(rcpt="550 no such user"), Verdict.REFUSED, "1 of 1 recipients were refused: sre@example.org (550"),
        (Manners(rcpt="450 try later"), Verdict.RETRY, "1 of 1 recipients were refused: sre@example.org (450"),
        (Manners(data="554 no thanks"), Verdict.REFUSED, "554 no thanks"),
        (Manners(data="451 later"), Verdict.RETRY, "451 later"),
        (Manners(greeting="421 busy"), Verdict.RETRY, "421 busy"),
        (Manners(breaks_off_after="DATA"), Verdict.RETRY, "broke off the conversation"),
        (Manners(drips_after="EHLO"), Verdict.RETRY, "was not done within 0.8 s."),
    ],
)
def test_a_mail_servers_refusal_is_final_and_its_trouble_is_not(manners: Manners, verdict: Verdict, words: str) -> None:
    with mailbox(manners) as server:
        began = time.monotonic()
        outcome = tell("email", message(), 0.8, to="sre@example.org", smarthost=server.address)
        assert time.monotonic() - began < 8
    assert outcome.verdict is verdict
    assert words in outcome.answer


def test_a_refused_recipient_among_others_is_no_success(server_mailbox: Mailbox) -> None:
    server_mailbox.manners = Manners(rcpt_by_address={"gone@example.org": "550 gone"})
    outcome = tell("email", message(), to=["sre@example.org", "gone@example.org"], smarthost=server_mailbox.address)
    assert (outcome.verdict, outcome.answer) == (
        Verdict.REFUSED,
        "1 of 2 recipients were refused: gone@example.org (550 gone)",
    )


def test_mail_goes_in_the_clear_only_where_that_is_allowed(server_mailbox: Mailbox) -> None:
    outcome = tell("email", message(), to="sre@example.org", smarthost=server_mailbox.address, require_tls=True)
    assert outcome.verdict is Verdict.REFUSED
    assert "offers no STARTTLS" in outcome.answer


def test_without_a_mail_server_the_setting_is_named() -> None:
    outcome = tell("email", message(), to="sre@example.org")
    assert outcome.answer == (
        "No mail server is known: set FLEETLEDGER_SMTP, or the receiver's smarthost, to HOST:PORT."
    )


def test_apprise_reaches_no_internal_address_unless_it_is_allowed(receiver: Receiver) -> None:
    url = receiver.url.replace("http://", "json://")
    refused = tell("apprise", message(), 20, url=url)
    assert refused == Outcome(
        Verdict.REFUSED,
        None,
        "127.0.0.1 is on the inside, where apprise may not reach: add it to FLEETLEDGER_NOTIFY_ALLOW to allow it.",
    )
    assert receiver.told == []
    allowed = tell("apprise", message(), 20, url=url, allow=["127.0.0.0/8"])
    assert (allowed.verdict, allowed.answer) == (Verdict.DELIVERED, "apprise told JSON.")
    assert receiver.told[0].document["title"] == "[FIRING:1] Hot"


def test_apprise_follows_no_redirect_and_reads_the_status(receiver: Receiver) -> None:
    with receiving(Reply(302, {"Location": receiver.url}), Reply(404), Reply(503)) as server:
        url = server.url.replace("http://", "json://")
        outcomes = [tell("apprise", message(), 20, url=url, allow=["localhost"]) for _ in range(3)]
    assert [outcome.verdict for outcome in outcomes] == [Verdict.REFUSED, Verdict.REFUSED, Verdict.RETRY]
    assert receiver.told == []


def test_apprise_is_ended_at_the_deadline() -> None:
    with receiving(Reply(HANG)) as server:
        began = time.monotonic()
        outcome = tell("apprise", message(), 1.5, url=server.url.replace("http", "json"), allow=["127.0.0.1"])
        assert time.monotonic() - began < 12
    assert outcome.verdict is Verdict.RETRY


def test_apprise_writes_no_log_of_this_machine_unless_it_is_allowed() -> None:
    assert tell("apprise", message(), 20, url="syslog://").answer == (
        "syslog is on the inside, where apprise may not reach: add it to FLEETLEDGER_NOTIFY_ALLOW to allow it."
    )


def test_an_address_that_apprise_does_not_know_is_refused() -> None:
    outcome = tell("apprise", message(), 20, url="nosuchservice://x")
    assert outcome == Outcome(Verdict.REFUSED, None, "apprise does not know this address. Mend the receiver's url.")


@pytest.mark.parametrize(
    ("address", "allow", "is_free"),
    [
        (("8.8.8.8", 443), [], True),
        (("10.1.2.3", 443), [], False),
        (("10.1.2.3", 443), ["10.0.0.0/8"], True),
        (("169.254.169.254", 80), ["10.0.0.0/8"], False),
        (("::1", 80, 0, 0), [], False),
        (("::ffff:127.0.0.1", 80, 0, 0), [], False),
        (("64:ff9b::a00:1", 80, 0, 0), [], False),
        (("fe80::1%eth0", 80, 0, 2), [], False),
        (("100.64.0.1", 80), [], False),
        (("127.0.0.1", 80), ["localhost"], True),
        ("/run/some.sock", ["localhost"], False),
    ],
)
def test_what_is_internal_is_seen_in_every_dress(address: Any, allow: list[str], is_free: bool) -> None:
    assert Guard(allow).may_reach(address) is is_free


def test_a_deadline_never_gives_sockets_a_limit_of_zero() -> None:
    over = Deadline(0)
    assert over.is_over
    assert over.left_s > 0


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def test_a_message_is_json_that_other_tools_read(receiver: Receiver) -> None:
    tell("webhook", message(line("Heiß")), url=receiver.url)
    assert json.loads(receiver.told[0].raw)["alerts"][0]["labels"]["alertname"] == "Heiß"
