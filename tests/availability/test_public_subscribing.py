"""Subscriptions to the public page: confirmed by the address itself, told once, ended by a link, known to nobody."""

import email
import email.policy
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from pytest_django import Settings

from monitoring.alerts import clock, drain
from monitoring.alerts.channels.webhook import SIGNATURE, signature
from monitoring.alerts.models import ChannelKind, Destination, MessageState, OutboxMessage
from monitoring.availability.incidents import acts
from monitoring.availability.incidents.acts import Changes
from monitoring.availability.models import Incident, IncidentState, MaintenanceWindow, Subscription
from monitoring.availability.public import building, news, subscribing, views_subscribe
from monitoring.availability.public.subscribing import Wanted
from tests.alerts import world as alerts
from tests.alerts.mailbox import Mailbox, mailbox
from tests.alerts.receiver import Receiver, receiving
from tests.availability import world
from tests.availability.incidents_world import MIRA, incident

pytestmark = pytest.mark.django_db
FORM = "/public/status/subscribe/"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()
    alerts.set_clock()


@pytest.fixture
def box(settings: Any) -> Iterator[Mailbox]:
    with mailbox() as server:
        settings.SMTP_HOST = server.address
        yield server


@pytest.fixture
def hook(settings: Any) -> Iterator[Receiver]:
    settings.NOTIFY_ALLOW = ["127.0.0.1"]
    with receiving() as server:
        yield server


def subscribe(address: str = "ada@example.org", kind: str = "email", status: int = 200, **values: str) -> str:
    answer = Client().post(FORM, {"kind": kind, "address": address, **values})
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def publish() -> str:
    """Queue what is new, and deliver it."""
    now = clock.now()
    said = news.publish(building.build(now), now)
    drain.drain_due()
    return said


def mails(box: Mailbox) -> list[tuple[str, str]]:
    """Subject and text of each."""
    found = []
    for raw in box.mails:
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        body = mail.get_body(("plain",))
        assert body is not None
        found.append((str(mail["Subject"]), " ".join(body.get_content().split())))
    return found


def link(box: Mailbox, word: str) -> str:
    """The path of the newest link of this kind."""
    found: list[str] = re.findall(rf"http://\S+/public/status/{word}/\S+", mails(box)[-1][1])
    return urlsplit(found[-1]).path


def confirmed(box: Mailbox, address: str = "ada@example.org") -> None:
    subscribe(address)
    drain.drain_due()
    assert Client().post(link(box, "confirm")).status_code == 200


def public(title: str = "Slow answers", **fields: Any) -> Incident:
    return incident(is_public=True, public_title=title, **fields)


def test_an_address_is_told_nothing_until_it_has_confirmed_by_a_post(box: Mailbox) -> None:
    public()
    subscribe()
    publish()
    ((subject, text),) = mails(box)
    assert subject == "Confirm that you want to be told of incidents and planned work"
    assert "Slow answers" not in text
    path = link(box, "confirm")
    assert "Confirm</button>" in Client().get(path).content.decode()
    assert Client().head(path).status_code == 200
    assert Subscription.objects.get().confirmed_at is None  # a scanner follows links
    assert "is told from now on" in Client().post(path).content.decode()
    public("Another")
    publish()
    assert mails(box)[-1][0] == "Another"


def test_each_news_is_told_once_to_each_with_a_way_to_end_it(box: Mailbox) -> None:
    confirmed(box)
    found = public(public_text="We look into it.")
    publish()
    assert publish() == "0 new, 0 messages queued, 0 subscriptions forgotten."
    acts.note(found.pk, "A fix is rolling out", MIRA, is_public=True)
    publish()
    acts.change(found.pk, Changes(state=IncidentState.MITIGATED), MIRA)
    publish()
    acts.change(found.pk, Changes(state=IncidentState.RESOLVED), MIRA)
    publish()
    told = [text for _, text in mails(box)[1:]]
    assert [text.partition(" http://")[0] for text in told] == [
        "Slow answers. Since 2026-11-02 12:00 UTC. We look into it.",
        "Slow answers. A fix is rolling out",
        "Slow answers. The worst is over.",
        "Slow answers. It is resolved.",
    ]
    assert all("/public/status/leave/" in text for text in told)


def test_planned_work_on_what_is_public_is_told(box: Mailbox) -> None:
    confirmed(box)
    api = world.component("api", is_public=True, public_title="The API")
    now = clock.now()
    MaintenanceWindow.objects.create(
        component=api,
        from_at=now + timedelta(hours=1),
        until_at=now + timedelta(hours=2),
        reason="Internal",
        created_by="mira",
        created_at=now,
    )
    publish()
    subject, text = mails(box)[-1]
    assert subject == "Planned work on The API"
    assert "from 2026-11-02 13:00 to 2026-11-02 14:00 UTC" in text
    assert "Internal" not in text


def test_what_ends_is_told_nothing_more_not_even_what_waits(box: Mailbox) -> None:
    confirmed(box)
    public()
    publish()
    path = link(box, "leave")
    now = clock.now()
    public("Another")
    news.publish(building.build(now), now)
    assert "End it</button>" in Client().get(path).content.decode()
    assert Subscription.objects.get().ended_at is None
    assert "is told nothing more" in Client().post(path).content.decode()
    drain.drain_due()
    assert [subject for subject, _ in mails(box)] == [
        "Confirm that you want to be told of incidents and planned work",
        "Slow answers",
    ]
    assert OutboxMessage.objects.order_by("-pk")[0].state == MessageState.DEAD
    assert Client().post(path).status_code == 410


def test_a_known_address_gets_the_same_answer_and_no_second_message(box: Mailbox) -> None:
    first = subscribe()
    assert subscribe() == first
    drain.drain_due()
    assert Client().post(link(box, "confirm")).status_code == 200
    alerts.advance(3600)
    assert subscribe() == first
    drain.drain_due()
    assert len(box.mails) == 1


def test_an_address_that_left_may_come_back_and_its_old_links_stay_dead(box: Mailbox) -> None:
    confirmed(box)
    public()
    publish()
    old = link(box, "leave")
    Client().post(old)
    alerts.advance(3600)
    confirmed(box)
    assert Client().get(old).status_code == 410
    assert subscribing.counted() == 1


def test_an_address_is_sent_no_more_than_three_ways_to_confirm_a_day(box: Mailbox) -> None:
    for _ in range(6):
        subscribe()
        alerts.advance(601)
    drain.drain_due()
    assert len(box.mails) == 3
    alerts.advance(86_400)
    subscribe()
    drain.drain_due()
    assert len(box.mails) == 4


def test_one_client_cannot_send_mails_to_the_whole_world() -> None:
    for number in range(10):
        subscribe(f"a{number}@example.org")
    assert "Too many requests" in subscribe("b@example.org", status=429)
    assert Subscription.objects.count() == 10


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("email", "ada"),
        ("email", "ada@example.org, eve@example.org"),
        ("email", "ada@example.org\nBcc: eve@example.org"),
        ("email", "a\x00@example.org"),
        ("webhook", "ftp://example.org/x"),
        ("webhook", "https://"),
        ("webhook", "https://user:pass@example.org/"),
        ("webhook", "https://example.org:99999/"),
        ("webhook", "https://[::1/"),
        ("webhook", f"https://example.org/{'x' * 1000}"),
        ("odd", "ada@example.org"),
    ],
)
def test_what_is_no_address_is_refused(kind: str, address: str) -> None:
    subscribe(address, kind, status=422)
    assert not Subscription.objects.exists()


def test_a_form_of_another_site_subscribes_nobody() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(FORM, {"kind": "email", "address": "ada@example.org"}).status_code == 403
    assert not Subscription.objects.exists()


def test_a_webhook_is_asked_first_then_told_signed(hook: Receiver) -> None:
    subscribe(hook.url, "webhook", secret="only we two")
    public()
    publish()
    (asked,) = hook.told
    facts = asked.document["groupLabels"]
    assert facts["event"] == "confirm"
    assert Client(enforce_csrf_checks=True).post(urlsplit(facts["confirm_url"]).path).status_code == 200
    public("Another")
    publish()
    told = hook.told[-1]
    stamp = int(told.headers[SIGNATURE.lower()].partition(",")[0].removeprefix("t="))
    assert told.headers[SIGNATURE.lower()] == signature("only we two", told.raw, stamp)
    events = [one.document["groupLabels"]["event"] for one in hook.told]
    assert events == ["confirm", "opened"]  # what was news before is none
    assert told.document["note"].startswith("Another. Since")


def test_no_internal_address_is_called(hook: Receiver, settings: Any) -> None:
    settings.NOTIFY_ALLOW = []
    subscribe(hook.url, "webhook")
    drain.drain_due()
    assert hook.told == []
    row = OutboxMessage.objects.get()
    assert (row.state, "internal address" in row.last_error) == (MessageState.DEAD, True)


def test_addresses_lie_sealed_and_no_page_tells_them(box: Mailbox) -> None:
    confirmed(box, "ada.lovelace@example.org")
    row = Subscription.objects.get()
    stored = f"{row.address} {row.shown} {row.digest} {Destination.objects.get(outside__gt='').config}"
    assert "lovelace" not in stored
    assert row.shown == "a…@example.org"
    assert OutboxMessage.objects.filter(last_error__contains="lovelace").count() == 0


def test_links_are_good_for_their_time_and_nobody_elses(box: Mailbox) -> None:
    subscribe()
    drain.drain_due()
    path = link(box, "confirm")
    for odd in (
        path[:-3] + "x/",
        path.replace("confirm", "leave"),
        "/public/status/confirm/1.x/",
        "/public/status/leave/%00/",
    ):
        assert Client().post(odd).status_code == 410, odd
    assert Subscription.objects.get().confirmed_at is None


def test_what_nobody_confirmed_and_what_ended_is_forgotten(box: Mailbox) -> None:
    subscribe("never@example.org")
    confirmed(box, "left@example.org")
    public()
    publish()
    Client().post(link(box, "leave"))
    confirmed(box, "stays@example.org")
    alerts.advance(31 * 86_400)
    publish()
    assert [row.shown for row in Subscription.objects.all()] == ["s…@example.org"]
    assert Destination.objects.filter(outside__gt="").count() == 1


def test_the_same_address_in_other_letters_is_one_subscription() -> None:
    for address in ("ada@Example.org", " ada@example.org "):
        subscribing.ask(Wanted(ChannelKind.EMAIL, address), "127.0.0.1")
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("is_behind_proxy", "told", "address", "expected"),
    [
        (False, "203.0.113.9", "198.51.100.1", "198.51.100.1"),
        (True, "10.0.0.1, 203.0.113.9", "127.0.0.1", "203.0.113.9"),
        (False, "", "2001:db8::1:2:3:4", "2001:db8::/64"),
        (True, "nonsense", "127.0.0.1", "nonsense"),
    ],
)
def test_who_asks_is_counted_by_their_own_address(
    settings: Settings, is_behind_proxy: bool, told: str, address: str, expected: str
) -> None:
    settings.HTTPS = is_behind_proxy
    request = RequestFactory().get("/", REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR=told)
    assert views_subscribe._caller(request) == expected
