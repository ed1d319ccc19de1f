"""What each channel says of a page, of a code, and of the alerts' own pages: whole values."""

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest

from monitoring.alerts.channels import Verdict, send, words
from monitoring.alerts.channels.slack import payload as slack
from monitoring.alerts.channels.webhook import payload as webhook
from monitoring.alerts.message import AlertLine, Message, PageNote
from tests.alerts.delivery_world import line
from tests.alerts.mailbox import mailbox
from tests.alerts.receiver import Receiver, Reply, receiving

LINK = "https://gpu.example.org/page/7.3.1793620800:abcdef/"
PAGED = "Mira Example, you are paged by escalation 'gpus' (on call in primary)."
CODE = "123456 is the code for your contact method 'Phone'. It is good for 15 minutes."
HOLDS = "The link works for 7 days, and asks before it acknowledges."
ALERT = "https://gpu.example.org/alerts/5/"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Reply(202)) as server:
        yield server


def page(**more: Any) -> Message:
    firing: AlertLine = line(alert_id=5, episode_id=9, fingerprint="a" * 16, url=ALERT, generator_url="")
    values: dict[str, Any] = {
        "key": UUID(int=1),
        "kind": "page",
        "tenant": "vision",
        "receiver": "mira",
        "group_key": "",
        "group_labels": {"alertname": "Hot"},
        "alerts": (firing,),
        "note": PAGED,
        "external_url": "https://gpu.example.org",
        "page": PageNote("Mira Example", "on call in primary", LINK),
    }
    return Message(**values | more)


def code(**more: Any) -> Message:
    values: dict[str, Any] = {"kind": "verification", "alerts": (), "group_labels": {}, "note": CODE, "page": None}
    return page(**values | more)


def mailed(message: Message) -> EmailMessage:
    with mailbox() as server:
        outcome = send("email", message, {"to": "mira@example.org", "smarthost": server.address}, 5)
        assert outcome.verdict is Verdict.DELIVERED
        return message_from_bytes(server.mails[0], policy=policy.default)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return "\n".join(body.get_content().splitlines())


def test_a_page_in_plain_words_says_who_why_and_how_to_acknowledge() -> None:
    assert words.title(page()) == "[PAGE] [FIRING:1] Hot"
    assert words.plain(page()).splitlines() == [
        PAGED,
        "",
        f"Acknowledge: {LINK}",
        HOLDS,
        "",
        "Hot (firing), since 2026-11-02 12:00:00 UTC",
        "Hot it is",
        "instance=node-a, severity=warning",
        ALERT,
        "",
        "https://gpu.example.org",
    ]
    bare = words.plain(page(note="")).splitlines()
    assert bare[0] == "Mira Example, you are paged (on call in primary)."


def test_a_page_of_a_place_has_no_link() -> None:
    told = page(page=None, note="Escalation 'gpus': the receiver sre.")
    assert words.title(told) == "[PAGE] [FIRING:1] Hot"
    assert words.plain(told).splitlines()[:3] == [
        "Escalation 'gpus': the receiver sre.",
        "",
        "Hot (firing), since 2026-11-02 12:00:00 UTC",
    ]
    assert "page" not in webhook(told)


def test_a_mail_has_a_button_for_a_thumb() -> None:
    mail = mailed(page())
    assert mail["Subject"] == "[PAGE] [FIRING:1] Hot"
    assert part(mail, "plain").startswith(f"{PAGED}\n\nAcknowledge: {LINK}\n{HOLDS}\n")
    style = (
        "display:inline-block;padding:14px 28px;border-radius:8px;background:#18181b;color:#ffffff;"
        "font-weight:bold;text-decoration:none"
    )
    assert part(mail, "html") == (
        "<html><body><p>Mira Example, you are paged by escalation &#x27;gpus&#x27; (on call in primary).</p>"
        f'<p><a href="{LINK}" style="{style}">Acknowledge</a></p><p><small>{HOLDS}</small></p>'
        "<p><b>Hot</b> (firing)<br>Hot it is<br>instance=node-a, severity=warning<br>"
        f'<a href="{ALERT}">{ALERT}</a></p>'
        '<p><a href="https://gpu.example.org">https://gpu.example.org</a></p></body></html>'
    )


def test_slack_has_the_link_in_its_text() -> None:
    document = slack(page(), {})
    assert document["text"] == f"*[PAGE] [FIRING:1] Hot*\n{PAGED}\n<{LINK}|Acknowledge> {HOLDS}"
    assert document["attachments"][0]["text"] == f"Hot it is\ninstance=node-a, severity=warning\n<{ALERT}>"


def test_a_webhook_has_who_why_and_the_address() -> None:
    document = webhook(page())
    assert {key: document[key] for key in ("note", "page", "status", "receiver")} == {
        "note": PAGED,
        "page": {"person": "Mira Example", "why": "on call in primary", "acknowledge_url": LINK},
        "status": "firing",
        "receiver": "mira",
    }


def test_pagerduty_has_the_link_before_others(receiver: Receiver) -> None:
    outcome = send("pagerduty", page(), {"url": receiver.url, "routing_key": "R"}, 5)
    assert outcome.answer == "1 events were taken."
    document = receiver.told[0].document
    assert document["links"] == [
        {"href": LINK, "text": f"Acknowledge. {HOLDS}"},
        {"href": ALERT, "text": ALERT},
    ]
    assert document["payload"]["custom_details"]["note"] == PAGED


def test_apprise_says_the_plain_words(receiver: Receiver) -> None:
    config = {"url": receiver.url.replace("http://", "json://"), "allow": ["127.0.0.1"]}
    assert send("apprise", page(), config, 20).verdict is Verdict.DELIVERED
    document = receiver.told[0].document
    assert (document["title"], document["type"]) == ("[PAGE] [FIRING:1] Hot", "failure")
    assert f"Acknowledge: {LINK}" in document["message"]


def test_a_code_is_told_by_every_channel_although_no_alert_is_there(receiver: Receiver) -> None:
    title = "[CODE] 123456 is the code for your contact method 'Phone'"
    assert words.title(code()) == title
    assert words.plain(code()) == f"{CODE}\n\nhttps://gpu.example.org\n"
    assert (mailed(code())["Subject"], slack(code(), {})["text"]) == (title, f"*{title}*\n{CODE}")
    assert (webhook(code())["note"], webhook(code())["alerts"]) == (CODE, [])
    config = {"url": receiver.url.replace("http://", "json://"), "allow": ["127.0.0.1"]}
    assert send("apprise", code(), config, 20).verdict is Verdict.DELIVERED
    assert (receiver.told[0].document["title"], receiver.told[0].document["type"]) == (title, "info")


def test_a_code_opens_an_incident_at_pagerduty_and_closes_it_at_once(receiver: Receiver) -> None:
    config = {"url": receiver.url, "routing_key": "R"}
    assert send("pagerduty", code(), config, 5).answer == "2 events were taken."
    opened, closed = (told.document for told in receiver.told)
    head = {"routing_key": "R", "client": "Fleetledger", "client_url": "https://gpu.example.org"}
    assert opened == head | {
        "event_action": "trigger",
        "dedup_key": closed["dedup_key"],
        "payload": {"summary": CODE, "source": "vision", "severity": "info"},
    }
    assert closed == head | {"event_action": "resolve", "dedup_key": closed["dedup_key"]}
    send("pagerduty", replace(code(), key=UUID(int=2)), config, 5)
    assert receiver.told[2].document["dedup_key"] != closed["dedup_key"]
