"""The link that a page brings asks before it acknowledges, and leads nowhere for whom it was not made."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.signing import Signer
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from fleetledger.fleet.models import Membership, Role, Team, User
from monitoring.alerts import acts, clock, drain, flush
from monitoring.alerts.escalation import advance
from monitoring.alerts.models import (
    Alert,
    Attempt,
    ContactMethod,
    Destination,
    Episode,
    Escalation,
    Event,
    OutboxMessage,
    Page,
    Run,
)
from monitoring.alerts.oncall import links
from tests import world as fleet
from tests.alerts import escalation_world, pages_world, world
from tests.alerts.mailbox import Mailbox, mailbox
from tests.alerts.receiver import Reply, receiving
from tests.alerts.world import START, after, set_clock

pytestmark = pytest.mark.django_db
DAYS = 86_400
NOWHERE = re.compile("Hot|Cold|primary|named by the step|vision|node-a", re.IGNORECASE)


@pytest.fixture
def vision() -> Team:
    set_clock()
    return fleet.team("vision")


@pytest.fixture
def mira(vision: Team) -> User:
    return lead("mira", vision)


@pytest.fixture
def page(vision: Team, mira: User) -> Page:
    """Mira is paged about two alerts of her team, two minutes after they began."""
    alerts = [pages_world.alert(name, team=vision, node="node-a", severity="critical") for name in ("Hot", "Cold")]
    return paged(running(*alerts), mira)


def lead(name: str, team: Team) -> User:
    person = fleet.user(name, first_name=name.title(), last_name="Example")
    Membership.objects.create(team=team, user=person, role=Role.LEAD)
    return person


def running(*alerts: Alert, name: str = "primary") -> Run:
    found = Escalation.objects.filter(name=name).first() or escalation_world.escalation(name, team=alerts[0].team)
    return escalation_world.run(found, *alerts, at=after(-120))


def paged(run: Run, person: User, step: int = 0) -> Page:
    return escalation_world.page(escalation_world.step(run, step), person, why="named by the step")


def path(page: Page, **more: Any) -> str:
    """The link's path; `more` of another page, person or instant."""
    known: dict[str, Any] = {"page_id": page.pk, "person_id": page.person_id, "at": page.at, "quiet_until_at": None}
    return urlsplit(links.address(links.link(**known | more), "https://gpu.example.org")).path


def text(answer: HttpResponseBase) -> str:
    body = answer.content.decode()  # type: ignore[attr-defined]
    return " ".join(re.sub(r"<[^>]+>", " ", body[body.index("<main") : body.index("</main>")]).split())


def what_there_is() -> list[Any]:
    """Everything that an acknowledgement would change."""
    rows = Episode.objects.order_by("pk").values_list("acknowledged_at", "acknowledged_by", "assigned_to")
    return [*rows, *Run.objects.order_by("pk").values_list("state", "due_at"), Event.objects.count()]


def test_get_and_head_show_it_and_neither_they_nor_options_change_anything(page: Page) -> None:
    before = what_there_is()
    shown, head, asked = Client().get(path(page)), Client().head(path(page)), Client().options(path(page))
    assert (shown.status_code, head.status_code, head.content, asked.status_code) == (200, 200, b"", 405)
    assert text(shown).startswith("Fleetledger 2 alerts fire Mira Example, paged")
    assert ": named by the step (primary). Acknowledge 2 alerts" in text(shown)
    assert "Hot critical Hot of node-a Since 2 Nov 11:30 UTC" in text(shown)
    for name in ("Hot", "Cold"):
        one = Alert.objects.get(name=name)
        assert f'href="/alerts/{one.pk}/" rel="noreferrer"' in shown.content.decode()
    assert what_there_is() == before


def test_answers_are_kept_by_nobody_and_found_by_no_search_engine(page: Page) -> None:
    names = ("Cache-Control", "X-Robots-Tag", "Referrer-Policy")
    form, bad, done = Client().get(path(page)), Client().get("/page/no/"), Client().post(path(page))
    assert [form[name] for name in names] == ["no-store", "noindex, nofollow", "same-origin"]
    assert [bad[name] for name in names] == ["no-store", "noindex, nofollow", "no-referrer"]
    assert [done[name] for name in names] == ["no-store", "noindex, nofollow", "no-referrer"]


def test_post_acknowledges_all_open_alerts_of_the_run_in_the_persons_name(page: Page, mira: User) -> None:
    other = pages_world.alert("Other", team=page.run.team)
    answer = Client().post(path(page))
    assert answer.status_code == 200
    assert text(answer).startswith("Fleetledger You have it Acknowledged. Repeats and the escalation have stopped.")
    assert "Mira Example has it since 12:00 UTC" in text(answer)
    assert "<form" not in answer.content.decode().partition("<main")[2].partition("</main>")[0]
    episodes = Episode.objects.exclude(alert=other).values_list("acknowledged_at", "acknowledged_by")
    assert list(episodes) == [(START, mira.pk)] * 2
    assert Episode.objects.get(alert=other).acknowledged_at is None
    events = Event.objects.filter(kind="acknowledged").values_list("actor", "note")
    assert list(events) == [("Mira", "By the link of a page.")] * 2
    page.run.refresh_from_db()
    assert (page.run.state, page.run.due_at) == ("acknowledged", None)


def test_twice_is_no_harm_and_says_who_has_it(page: Page) -> None:
    Client().post(path(page))
    before = what_there_is()
    world.advance(600)
    for answer in (Client().post(path(page)), Client().get(path(page))):
        assert answer.status_code == 200
        assert text(answer).startswith("Fleetledger Somebody has it Mira Example, paged")
        assert "Mira Example has it since 12:00 UTC" in text(answer)
    assert what_there_is() == before


def test_somebody_else_may_have_a_part_of_it(page: Page, vision: Team) -> None:
    tom = lead("tom", vision)
    acts.acknowledge([Alert.objects.get(name="Hot").pk], acts.Actor("Tom", tom))
    shown = text(Client().get(path(page)))
    assert "2 alerts fire" in shown
    assert "Tom Example has it since 12:00 UTC" in shown
    assert "Acknowledge Cold" in shown
    Client().post(path(page))
    by = dict(Episode.objects.values_list("alert__name", "acknowledged_by__username"))
    assert by == {"Hot": "tom", "Cold": "mira"}


def test_what_is_on_its_way_already_is_named(page: Page) -> None:
    tom = Attempt.objects.create(message=OutboxMessage.objects.get(), fence=2, sending_at=START)
    tom.episodes.add(*Episode.objects.all())
    assert "Already on its way to mira by Mail." in text(Client().post(path(page)))


def test_the_form_is_protected_against_other_sites(page: Page) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert Client(enforce_csrf_checks=True).post(path(page)).status_code == 403
    form = browser.get(path(page)).content.decode()
    assert browser.post(path(page)).status_code == 403
    assert not Event.objects.filter(kind="acknowledged").exists()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert found is not None
    assert browser.post(path(page), {"csrfmiddlewaretoken": found[1]}).status_code == 200


def test_it_works_for_seven_days(page: Page) -> None:
    set_clock(after(7 * DAYS - 121))
    assert Client().get(path(page)).status_code == 200
    set_clock(after(7 * DAYS - 120))
    for answer in (Client().get(path(page)), Client().post(path(page))):
        assert answer.status_code == 410
        assert "This link is too old It worked for 7 days. Sign in to see what fires now." in text(answer)
        assert not NOWHERE.search(text(answer))
    assert not Event.objects.filter(kind="acknowledged").exists()


def test_a_page_held_back_by_quiet_hours_has_its_days_from_their_end(vision: Team, mira: User) -> None:
    run = running(pages_world.alert("Hot", team=vision))
    until_at = after(8 * 3600)
    page = escalation_world.page(escalation_world.step(run), mira, quiet_until_at=until_at)
    set_clock(until_at + timedelta(days=7, seconds=-1))
    assert Client().get(path(page, quiet_until_at=until_at)).status_code == 200
    assert Client().get(path(page)).status_code == 410


def bad_links(page: Page, stranger: User) -> Iterator[str]:
    good = path(page)
    yield good.replace(f"/{page.pk}.", f"/{page.pk + 1}.")
    yield good.replace(f".{page.person_id}.", f".{stranger.pk}.")
    yield good[:-6] + "/"
    yield good[:-2] + ("A/" if good[-2] != "A" else "B/")
    yield path(page, person_id=stranger.pk)  # signed, and yet of nobody's page
    yield path(page, page_id=page.pk + 1)
    yield path(page, at=page.at - timedelta(seconds=1))  # of a page that had this number before a restore
    yield f"/page/{Signer(sep=':', salt='other').sign(f'{page.pk}.{page.person_id}.{int(page.at.timestamp())}')}/"
    yield f"/page/{Signer(sep=':', salt='fleetledger.on-call.page').sign('a.b')}/"
    yield from ("/page/no/", "/page/%00/", "/page/1.1.1:/", "/page/ä:ü/", f"/page/{'x' * 5000}/")


def test_whatever_we_did_not_sign_for_this_page_and_person_leads_nowhere(page: Page, vision: Team) -> None:
    stranger = lead("tom", vision)
    before = what_there_is()
    for link in bad_links(page, stranger):
        for answer in (Client().get(link), Client().post(link)):
            assert answer.status_code == 404, link
            assert "No page is here The link was cut short or changed" in text(answer)
            assert not NOWHERE.search(text(answer))
    assert what_there_is() == before


def test_a_closed_account_acknowledges_nothing(page: Page, mira: User) -> None:
    User.objects.filter(pk=mira.pk).update(is_active=False)
    answer = Client().post(path(page))
    assert (answer.status_code, "This account is closed" in text(answer)) == (410, True)
    assert not NOWHERE.search(text(answer))
    assert not Event.objects.filter(kind="acknowledged").exists()


def test_whoever_left_the_team_sees_nothing_of_it(page: Page, mira: User) -> None:
    Membership.objects.filter(user=mira).delete()
    for answer in (Client().get(path(page)), Client().post(path(page))):
        assert answer.status_code == 404
        assert "Not yours any more You do not see the alerts of this page now." in text(answer)
        assert not NOWHERE.search(text(answer))
    assert not Event.objects.filter(kind="acknowledged").exists()


def test_whoever_is_paged_about_the_platforms_alerts_may_acknowledge_them_whatever_their_role() -> None:
    set_clock()
    eve = fleet.user("eve", role=Role.VIEWER)
    alert = pages_world.alert("Hot", node="node-a", severity="critical")
    assert Client().post(path(paged(running(alert), eve))).status_code == 200
    assert Episode.objects.get(alert=alert).acknowledged_by == eve


def test_a_removed_person_or_page_leads_nowhere(page: Page, mira: User) -> None:
    link = path(page)
    mira.delete()
    assert Client().get(link).status_code == 404


def test_when_all_is_over_it_says_so(page: Page) -> None:
    ids = list(Alert.objects.values_list("pk", flat=True))
    acts.resolve_by_hand(ids[:1], acts.Actor("tom"))
    assert "Cold fires" in text(Client().get(path(page)))
    acts.resolve_by_hand(ids, acts.Actor("tom"))
    for answer in (Client().get(path(page)), Client().post(path(page))):
        assert answer.status_code == 410
        assert text(answer).startswith("Fleetledger It is over Every alert of this page has resolved")
    assert not Event.objects.filter(kind="acknowledged").exists()


def test_an_alert_that_fires_anew_is_not_what_the_page_was_about(page: Page) -> None:
    hot = Alert.objects.get(name="Hot")
    acts.resolve_by_hand([hot.pk], acts.Actor("tom"))
    fresh = Episode.objects.create(alert=hot, number=2, started_at=START, opened_at=START)
    Client().post(path(page))
    fresh.refresh_from_db()
    assert fresh.acknowledged_at is None


def test_two_people_have_two_links_and_the_second_finds_it_done(page: Page, vision: Team) -> None:
    tom = lead("tom", vision)
    second = paged(page.run, tom, 2)
    assert path(page) != path(second)
    assert text(Client().post(path(second))).startswith("Fleetledger You have it")
    later = text(Client().post(path(page)))
    assert later.startswith("Fleetledger Somebody has it Mira Example, paged")
    assert "Tom Example has it since" in later
    assert set(Episode.objects.values_list("acknowledged_by__username", flat=True)) == {"tom"}


def test_a_stranger_who_is_signed_in_acts_in_the_name_of_whom_the_link_is_for(page: Page) -> None:
    """The link is all that counts, and nothing else of the team is opened by it."""
    browser = Client()
    browser.force_login(fleet.member(fleet.team("audio"), username="stranger"))
    assert browser.get(f"/alerts/{Alert.objects.get(name='Hot').pk}/").status_code == 404
    browser.post(path(page))
    assert set(Episode.objects.values_list("acknowledged_by__username", flat=True)) == {"mira"}


def test_an_acknowledgement_that_timed_out_may_be_given_again(page: Page) -> None:
    Client().post(path(page))
    acts.unacknowledge(list(Alert.objects.values_list("pk", flat=True)), acts.Actor("tom"))
    page.run.refresh_from_db()
    assert page.run.state == "active"
    assert text(Client().post(path(page))).startswith("Fleetledger You have it")


def test_a_key_of_before_still_reads_what_it_signed(page: Page, settings: Settings) -> None:
    link = path(page)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next key, long enough for everybody"
    assert (path(page) != link, Client().get(link).status_code) == (True, 200)
    settings.SECRET_KEY_FALLBACKS = []
    assert Client().get(link).status_code == 404


def reach(person: User, kind: str, **config: Any) -> None:
    """By a verified contact method."""
    method = ContactMethod.objects.create(
        user=person, kind=kind, label=kind, config=config, created_at=START, verified_at=START
    )
    Destination.objects.create(contact=method, receiver=person.username, kind=kind, config=config)


def escalates(team: Team, *steps: dict[str, Any]) -> None:
    """What fires in the team escalates by these steps at once, and its receiver tells nobody."""
    escalation_world.escalation("primary", steps, team=team)
    route = {"receiver": "quiet", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1m"}
    world.tree(team, route | {"escalation": "primary"}, [{"name": "quiet"}])


def go(seconds: float) -> None:
    """The notifier's turns of so many seconds, one every ten."""
    end = clock.now() + timedelta(seconds=seconds)
    while True:
        now = clock.now()
        flush.flush_due(now)
        advance.advance_due(now)
        drain.drain_due()
        if now >= end:
            return
        world.advance(min(10, (end - now).total_seconds()))


def the_mail(server: Mailbox) -> tuple[str, str]:
    """Subject and text of the only one."""
    (raw,) = server.mails
    mail = message_from_bytes(raw, policy=policy.default)
    body = mail.get_body(("plain",))
    assert body is not None
    return str(mail["Subject"]), body.get_content()


@pytest.fixture
def near(settings: Settings) -> None:
    """Receivers on this machine may be told, and mails say where the site is."""
    settings.NOTIFY_ALLOW = ["127.0.0.0/8"]
    settings.BASE_URL = "https://gpu.example.org/"


@pytest.mark.usefixtures("near")
def test_the_link_of_a_mail_acknowledges_and_nobody_else_is_paged(vision: Team, mira: User) -> None:
    escalates(vision, {"person": "mira"}, {"wait": "5m"}, {"person": "tom"})
    with mailbox() as server, receiving() as of_tom:
        reach(mira, "email", to="mira@example.org", smarthost=server.address)
        reach(lead("tom", vision), "webhook", url=of_tom.url)
        world.post(team=vision, severity="critical")
        go(60)
        subject, said = the_mail(server)
        found = re.search(r"Acknowledge: https://gpu\.example\.org(/page/\S+/)", said)
        assert found is not None
        assert Client().get(found[1]).status_code == 200
        assert Run.objects.get().state == "active"
        assert text(Client().post(found[1])).startswith("Fleetledger You have it")
        go(900)
    assert subject == "[PAGE] [FIRING:1] Hot"
    assert said.splitlines()[0] == "Mira Example, you are paged by escalation 'primary' (named by the step)."
    assert f"https://gpu.example.org/alerts/{Alert.objects.get().pk}/" in said
    assert (Run.objects.get().state, Page.objects.get().person, of_tom.told) == ("acknowledged", mira, [])


@pytest.mark.usefixtures("near")
@pytest.mark.parametrize("cut", [0, 105])
def test_no_link_is_kept_although_a_receiver_repeats_it(vision: Team, mira: User, cut: int) -> None:
    """Whole, or cut short where what we keep of an answer ends."""
    escalates(vision, {"person": "mira"})
    with receiving(decide=lambda told: Reply(body="x" * cut + told.document["page"]["acknowledge_url"])) as hook:
        reach(mira, "webhook", url=hook.url)
        world.post(team=vision, severity="critical")
        go(0)
    page = hook.told[0].document["page"]
    known = Page.objects.get()
    link = path(known)
    assert page == {
        "person": "Mira Example",
        "why": "named by the step",
        "acknowledge_url": f"https://gpu.example.org{link}",
    }
    answer = Attempt.objects.get().answer
    assert answer.removeprefix("200 Word " + "x" * cut).startswith(
        f"https://gpu.example.org{link.rpartition(':')[0]}:[secret]"
    )
    kept = f"{list(OutboxMessage.objects.values())} {list(Attempt.objects.values())} {list(Event.objects.values())}"
    assert link.rpartition(":")[2][:10] not in kept


def test_the_address_of_an_alert_is_where_its_page_is(page: Page) -> None:
    assert reverse("alert", args=[7]) == "/alerts/7/"
    assert path(page).startswith(f"/page/{page.pk}.{page.person_id}.1793620680:")
