"""The pages about alerts: what they say, what people do on them, and that nobody sees another team's."""

import re
from typing import Any

import pytest
from django.test import Client

from fleetledger.fleet.models import Role, Team, User
from monitoring.alerts import acts, trees
from monitoring.alerts.models import Alert, AlertState, Episode, Event, Heartbeat, OutboxMessage, Rule, Silence
from tests import world
from tests.alerts import pages_world
from tests.alerts.world import START, after, set_clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> None:
    set_clock()


@pytest.fixture
def vision() -> Team:
    return world.team("vision", name="Vision Research")


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _sre() -> Client:
    return _as(world.user("mira", role=Role.SRE))


def _lead(team: Team) -> Client:
    return _as(world.member(team, role=Role.LEAD))


def _text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    body = b"".join(answer) if answer.streaming else answer.content
    return " ".join(re.sub(r"<[^>]+>", " ", body.decode()).split())


def test_an_empty_list_says_that_nobody_was_heard_and_how_to_send(vision: Team) -> None:
    text = _text(_lead(vision), "/alerts/")
    assert "No sender has reported yet and no rule was evaluated" in text
    assert "path_prefix: /t/vision" in text
    assert "fleetledger token create --name prometheus --scope write:alerts --team vision" in text


def test_an_empty_list_says_until_when_it_was_checked(vision: Team) -> None:
    pages_world.sender(team=vision, at=after(-20))
    assert "Nothing fires Checked until 2 Nov 11:59:40 UTC : 1 sender and 0 rules report here." in _text(
        _lead(vision), "/alerts/"
    )


def test_alerts_are_listed_in_groups_with_who_has_them(vision: Team) -> None:
    mira = world.user("ada", first_name="Ada")
    pages_world.alert(
        team=vision, node="n1", annotations={"summary": "Idle", "impact_per_day": "58.40", "impact_currency": "USD"}
    )
    pages_world.alert(
        "Xid", team=vision, severity="critical", episode={"acknowledged_at": START, "acknowledged_by": mira}
    )
    text = _text(_lead(vision), "/alerts/")
    assert "2 firing" in text
    assert text.index("Xid") < text.index("GpuIdle")
    assert ("Ada" in text, "$58.40 a day" in text, "node n1" in text) == (True, True, True)


def test_an_unknown_alert_is_grey_and_never_green(vision: Team) -> None:
    alert = pages_world.alert(team=vision, state=AlertState.STALE)
    for path in ("/alerts/", f"/alerts/{alert.pk}/"):
        body = _lead(vision).get(path).content.decode()
        assert re.search(r'<span class="badge unknown"[^>]*>Unknown</span>', body)
        assert not re.search(r'class="badge good"[^>]*>(Unknown|Firing)', body)


@pytest.mark.parametrize("by", ["alertname", "team", "severity", "cluster", "none", "nonsense"])
def test_the_address_groups_the_list(vision: Team, by: str) -> None:
    pages_world.alert(team=vision, node="n1", cluster="c1")
    assert "GpuIdle of n1" in _text(_lead(vision), f"/alerts/?group={by}")


def test_matchers_and_words_narrow_the_list(vision: Team) -> None:
    for node in ("n1", "n2"):
        pages_world.alert(team=vision, node=node)
    client = _lead(vision)
    for query in ('q=node%3D"n1"', "q=node%3D~n1|x", "q=of+n1"):
        text = _text(client, f"/alerts/?{query}")
        assert ("GpuIdle of n1" in text, "GpuIdle of n2" in text) == (True, False), query
    assert "is no regular expression" in _text(client, "/alerts/?q=node%3D~(")


def test_a_large_group_opens_on_its_own(vision: Team) -> None:
    for number in range(7):
        pages_world.alert(team=vision, node=f"n{number}")
    client = _lead(vision)
    assert "Show all 7" in _text(client, "/alerts/")
    assert "GpuIdle of n6" in _text(client, "/alerts/?only=GpuIdle")


def test_the_list_as_csv_has_every_alert(vision: Team) -> None:
    pages_world.alert(team=vision, node="n1")
    body = b"".join(_lead(vision).get("/alerts/?format=csv")).decode().splitlines()
    assert body[0].startswith("id,fingerprint,name,severity,team,state,withheld,")
    assert ",GpuIdle,warning,vision,firing,False,False,2026-11-02T11:30:00Z," in body[1]


def test_acknowledging_names_who_is_being_told_already(vision: Team) -> None:
    alert = pages_world.alert(team=vision)
    message = pages_world.message(pages_world.destination(team=vision), alert)
    message.attempts.update(finished_at=None, is_delivered=False)
    client = _lead(vision)
    text = " ".join(client.post(f"/alerts/{alert.pk}/acknowledge/", follow=True).content.decode().split())
    assert "Acknowledged: GpuIdle. Repeats have ended. Already on its way to sre by Webhook." in text
    episode = Episode.objects.get(alert=alert)
    assert (episode.acknowledged_at, episode.acknowledged_by is not None) == (START, True)


def test_several_alerts_are_acknowledged_at_once_and_given_back(vision: Team) -> None:
    ids = [pages_world.alert(team=vision, node=f"n{number}").pk for number in range(3)]
    client = _lead(vision)
    words = {"alert": ids, "action": "acknowledge", "next": "/alerts/?group=none"}
    answer = client.post("/alerts/act/", words)
    assert answer.headers["Location"] == "/alerts/?group=none"
    assert Episode.objects.filter(acknowledged_at=START).count() == 3
    client.post("/alerts/act/", words | {"action": "unacknowledge"})
    assert Episode.objects.filter(acknowledged_at=None).count() == 3


def test_an_act_leads_to_no_other_site(vision: Team) -> None:
    alert = pages_world.alert(team=vision)
    words = {"alert": alert.pk, "action": "acknowledge", "next": "//elsewhere.example.org/"}
    assert _lead(vision).post("/alerts/act/", words).headers["Location"] == "/alerts/"


def test_chosen_alerts_are_silenced_by_what_they_have_in_common(vision: Team) -> None:
    ids = [pages_world.alert(team=vision, node=f"n{number}", cluster="c1").pk for number in range(2)]
    client = _lead(vision)
    answer = client.post("/alerts/act/", {"alert": ids, "action": "silence"}, follow=True)
    assert (
        "alertname=&quot;GpuIdle&quot;,cluster=&quot;c1&quot;,severity=&quot;warning&quot;" in answer.content.decode()
    )


def test_a_viewer_looks_and_may_not_act(vision: Team) -> None:
    alert = pages_world.alert(team=vision)
    client = _as(world.member(vision, role=Role.VIEWER))
    assert "Acknowledge</button>" not in client.get(f"/alerts/{alert.pk}/").content.decode()
    assert client.post(f"/alerts/{alert.pk}/acknowledge/").status_code == 403
    assert client.post("/alerts/act/", {"alert": alert.pk, "action": "acknowledge"}).status_code == 403
    assert client.get("/alerts/silences/new/").status_code == 403
    assert Episode.objects.get().acknowledged_at is None


def test_a_form_without_the_pages_token_changes_nothing(vision: Team) -> None:
    alert = pages_world.alert(team=vision)
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.member(vision, role=Role.LEAD))
    assert client.post(f"/alerts/{alert.pk}/acknowledge/").status_code == 403


def test_assign_comment_and_resolve_stand_in_the_timeline(vision: Team) -> None:
    alert = pages_world.alert(team=vision, state=AlertState.STALE)
    pages_world.report(alert, pages_world.sender(team=vision), is_stale=True)
    sre = world.user("jonas", role=Role.SRE)
    client = _lead(vision)
    client.post(f"/alerts/{alert.pk}/assign/", {"to": sre.username})
    client.post(f"/alerts/{alert.pk}/comment/", {"comment": "looking <b>now</b>"})
    client.post(f"/alerts/{alert.pk}/resolve/")
    body = client.get(f"/alerts/{alert.pk}/").content.decode()
    assert "looking &lt;b&gt;now&lt;/b&gt;" in body
    assert "to jonas." in body
    assert "Resolved by hand." in body
    assert Alert.objects.get().state == AlertState.RESOLVED


def test_an_alert_is_given_to_nobody_outside_its_team(vision: Team) -> None:
    alert = pages_world.alert(team=vision)
    stranger = world.member(world.team("speech"))
    text = _lead(vision).post(f"/alerts/{alert.pk}/assign/", {"to": stranger.username}, follow=True).content.decode()
    assert "Nobody of this team goes by that name." in text
    assert Episode.objects.get().assigned_to is None


def test_one_alert_shows_who_was_told_and_what_they_answered(vision: Team) -> None:
    alert = pages_world.alert(team=vision, UUID="GPU-1")
    pages_world.report(alert, pages_world.sender(team=vision))
    pages_world.message(pages_world.destination(team=vision), alert)
    pages_world.message(pages_world.destination("pager", "pagerduty", team=vision), alert, state="dead", last_error="x")
    text = _text(_lead(vision), f"/alerts/{alert.pk}/")
    assert "Told sre (Webhook)" in text
    assert "Not taken by pager (PagerDuty)" in text
    assert "404 no such hook" in text
    assert "firing · 3 reports" in text


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://runbooks.example.org/x", True),
        ("/help/runbooks/#GpuXidFatal", True),
        ("javascript:alert(1)", False),
        ("//elsewhere.example.org/", False),
    ],
)
def test_a_runbook_is_a_web_address_or_no_link(vision: Team, url: str, is_link: bool) -> None:
    alert = pages_world.alert(team=vision, annotations={"runbook_url": url})
    body = _lead(vision).get(f"/alerts/{alert.pk}/").content.decode()
    assert (f'href="{url}"' in body) is is_link


def test_what_withholds_an_alert_is_named(vision: Team) -> None:
    alert = pages_world.alert(team=vision, node="n1")
    Silence.objects.create(
        team=vision,
        matchers=[{"name": "node", "value": "n1", "isRegex": False, "isEqual": True}],
        starts_at=START,
        ends_at=after(3600),
        updated_at=START,
        created_by="Teo",
        comment="known",
    )
    assert "Withheld by a silence of Teo until 2 Nov 13:00 UTC : known" in _text(_lead(vision), f"/alerts/{alert.pk}/")


def test_affected_gpus_are_told_in_gpu_hours() -> None:
    world.gpu("GPU-77", node=world.node("n1"))
    alert = pages_world.alert(since=after(-7200), UUID="GPU-77")
    assert "GPU-77, so far 2.0 GPU-hours" in _text(_sre(), f"/alerts/{alert.pk}/")


def test_the_graph_says_why_there_is_none(vision: Team) -> None:
    silent = pages_world.alert(team=vision)
    sent = pages_world.alert("Xid", team=vision, generator_url="http://prom:9090/graph?g0.expr=up")
    client, sre = _lead(vision), _sre()
    assert "names no expression" in client.get(f"/alerts/{silent.pk}/figures/expression.json").json()["empty"]
    path = f"/alerts/{sent.pk}/figures/expression.json"
    assert "drawn for those who see the whole fleet" in client.get(path).json()["empty"]
    assert "No source of ours is the Prometheus at http://prom:9090." in sre.get(path).json()["empty"]


@pytest.mark.parametrize(
    ("matchers", "sentence"),
    [
        ('node="n1"', "Withholds 1 alert now of 2 open of Vision Research: GpuIdle"),
        ('node=~"n.*"', "Withholds 2 alerts now"),
        ("node=~(", "is no regular expression"),
        ("", "Write at least one matcher."),
    ],
)
def test_the_preview_counts_what_matchers_would_withhold(vision: Team, matchers: str, sentence: str) -> None:
    for node in ("n1", "n2"):
        pages_world.alert(team=vision, node=node)
    answer = _lead(vision).get("/alerts/silences/preview/", {"team": "vision", "matchers": matchers})
    assert sentence in " ".join(re.sub(r"<[^>]+>", "", answer.content.decode()).split())


def test_a_silence_is_made_changed_and_ended_on_its_page(vision: Team) -> None:
    client = _lead(vision)
    words = {"team": "vision", "matchers": 'node="n1"', "lasts": "2h", "comment": "known"}
    assert client.post("/alerts/silences/new/", words).status_code == 302
    silence = Silence.objects.get()
    assert (silence.ends_at, silence.comment) == (after(7200), "known")
    assert "known" in _text(client, "/alerts/silences/")
    client.post(f"/alerts/silences/{silence.pk}/", words | {"lasts": "4h", "comment": "longer"})
    silence.refresh_from_db()
    assert (silence.ends_at, silence.comment) == (after(14_400), "longer")
    client.post(f"/alerts/silences/{silence.pk}/end/")
    assert "longer" in _text(client, "/alerts/silences/?tab=expired")


@pytest.mark.parametrize("action", ["acknowledge", "assign", "comment", "resolve"])
def test_a_comment_that_cannot_be_stored_is_kept_as_far_as_it_can(vision: Team, action: str) -> None:
    alert = pages_world.alert(team=vision)
    answer = _lead(vision).post(f"/alerts/{alert.pk}/{action}/", {"comment": "a\x00b" + "c" * 5000})
    assert answer.status_code == 302
    assert max(len(event.note) for event in Event.objects.all()) <= acts.MAX_COMMENT
    assert any("abccc" in event.note for event in Event.objects.all())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"matchers": 'node=~".*"'}, "At least one matcher must not match the empty string"),
        ({"matchers": "node"}, "is no matcher"),
        ({"lasts": "until"}, "Give the end as day and time"),
        ({"lasts": "until", "ends_at": "2026-11-01T00:00"}, "Give a later end."),
        ({"starts_at": "9999-12-31T23:59", "lasts": "1w"}, "Give an earlier day."),
        ({"comment": ""}, "This field is required."),
        ({"team": "speech"}, "Select a valid choice"),
    ],
)
def test_a_wrong_silence_is_refused_in_words(vision: Team, changes: dict[str, str], sentence: str) -> None:
    world.team("speech")
    words = {"team": "vision", "matchers": 'node="n1"', "lasts": "2h", "comment": "known", **changes}
    answer = _lead(vision).post("/alerts/silences/new/", words)
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    assert not Silence.objects.exists()


def test_maintenance_is_planned_and_ended(vision: Team) -> None:
    client = _lead(vision)
    words = {"team": "vision", "name": "Driver update", "matchers": 'cluster="c1"', "lasts": "1h"}
    assert client.post("/alerts/maintenance/new/", words).status_code == 302
    text = _text(client, "/alerts/silences/?tab=maintenance")
    assert "Driver update" in text
    window = vision.maintenance_windows.get()
    answer = client.post(f"/alerts/maintenance/{window.pk}/", words | {"lasts": "4h"})
    assert answer.status_code == 302, answer.content.decode()
    window.refresh_from_db()
    assert window.ends_at == after(14_400)
    set_clock(after(60))
    client.post(f"/alerts/maintenance/{window.pk}/end/")
    window.refresh_from_db()
    assert window.ends_at == after(60)


def test_the_tree_and_the_way_of_an_alert_are_shown(vision: Team) -> None:
    route = {
        "receiver": "all",
        "routes": [{"receiver": "pager", "matchers": ['severity="critical"'], "group_by": ["..."]}],
    }
    receivers: list[dict[str, Any]] = [{"name": "all", "email": [{"to": "a@example.org"}]}, {"name": "pager"}]
    trees.store(vision.pk, route, receivers, [{"source_matchers": ["a=b"], "target_matchers": ["c=d"]}], START)
    client = _lead(vision)
    text = _text(client, '/alerts/routing/?labels=severity%3D"critical",node%3D"n1"')
    assert "Vision Research has its own tree" in text
    assert "tells nobody: the receiver has no destination" in text
    assert "node=n1, severity=critical" in text
    assert "Labels are written with =" in _text(client, '/alerts/routing/?labels=severity%3D~"critical"')


def test_a_test_message_goes_the_way_and_leaves_a_receipt(vision: Team) -> None:
    pages_world.destination(team=vision)
    client = _lead(vision)
    words = {"team": "vision", "labels": 'alertname="Try"'}
    text = client.post("/alerts/routing/test/", words, follow=True).content.decode()
    assert "Receipt of the test" in text
    assert OutboxMessage.objects.get().kind == "test"


def test_messages_and_their_tries_are_listed(vision: Team) -> None:
    alert = pages_world.alert(team=vision)
    message = pages_world.message(pages_world.destination(team=vision), alert, state="dead", last_error="404 gone")
    client = _lead(vision)
    assert "404 gone" in _text(client, "/alerts/deliveries/?state=dead")
    assert "No message" in _text(client, "/alerts/deliveries/?state=sent")
    text = _text(client, f"/alerts/deliveries/{message.pk}/")
    assert ("404 no such hook" in text or "no such hook" in text, str(message.key) in text) == (True, True)
    lines = b"".join(client.get("/alerts/deliveries/?format=csv")).decode().splitlines()
    assert len(lines) == 2


def test_rules_and_heartbeats_are_listed_with_their_state(vision: Team) -> None:
    Rule.objects.create(
        team=vision, name="Old", kind="fact", fact="x", due_at=START, last_error="cannot ask", evaluated_at=START
    )
    Heartbeat.objects.create(team=vision, name="backup", interval_s=60, created_at=after(-600))
    text = _text(_lead(vision), "/alerts/rules/")
    for words in ("Failing", "cannot ask", "backup", "Missed"):
        assert words in text


def test_history_tells_how_long_things_took(vision: Team) -> None:
    ada = world.user("ada")
    alert = pages_world.alert(team=vision, state=AlertState.RESOLVED, since=after(-3600))
    alert.episodes.update(acknowledged_at=after(-3600 + 240), acknowledged_by=ada)
    client = _lead(vision)
    text = _text(client, "/alerts/history/")
    assert "Until somebody had it, mean 4 min" in text
    assert "Until resolved, mean 10 min" in text
    lines = b"".join(client.get("/alerts/history/?format=csv")).decode().splitlines()
    assert ",240.0,600.0," in lines[1]
    assert "Nothing fired in this range" in _text(client, "/alerts/history/?from=2026-01-01&to=2026-01-02")


def test_another_teams_alerts_are_nowhere(vision: Team) -> None:
    speech = world.team("speech")
    alert = pages_world.alert("Secret", team=speech, node="hidden")
    message = pages_world.message(pages_world.destination(team=speech), alert, state="dead", last_error="Secret")
    silence = Silence.objects.create(
        team=speech, matchers=[], starts_at=START, ends_at=after(60), updated_at=START, created_by="x", comment="Secret"
    )
    Rule.objects.create(team=speech, name="Secret", kind="fact", fact="x", due_at=START)
    Heartbeat.objects.create(team=speech, name="Secret", interval_s=60, created_at=START)
    client = _lead(vision)
    for path in ("/alerts/", "/alerts/silences/", "/alerts/deliveries/", "/alerts/rules/", "/alerts/history/"):
        for suffix in ("", "?format=csv"):
            assert "Secret" not in _text(client, f"{path}{suffix}"), path
    hidden = (
        f"/alerts/{alert.pk}/",
        f"/alerts/{alert.pk}/figures/expression.json",
        f"/alerts/deliveries/{message.pk}/",
        f"/alerts/silences/{silence.pk}/",
        "/alerts/routing/?team=speech",
        "/alerts/silences/preview/?team=speech&matchers=a=b",
    )
    assert {path: client.get(path).status_code for path in hidden} == dict.fromkeys(hidden, 404)
    posts = (f"/alerts/{alert.pk}/acknowledge/", f"/alerts/silences/{silence.pk}/end/")
    assert {path: client.post(path).status_code for path in posts} == dict.fromkeys(posts, 404)
    client.post("/alerts/act/", {"alert": alert.pk, "action": "acknowledge"})
    assert Event.objects.filter(kind="acknowledged").count() == 0


def test_the_platforms_alerts_are_for_those_who_see_the_fleet(vision: Team) -> None:
    alert = pages_world.alert("Platform")
    assert _lead(vision).get(f"/alerts/{alert.pk}/").status_code == 404
    assert _sre().get(f"/alerts/{alert.pk}/").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/alerts/", "/alerts/silences/", "/alerts/routing/", "/alerts/deliveries/", "/alerts/rules/", "/alerts/history/"],
)
def test_every_page_opens_for_somebody_without_a_team(path: str) -> None:
    assert _as(world.user()).get(path).status_code == 200


def test_the_navigation_marks_the_innermost_page() -> None:
    body = _sre().get("/alerts/silences/").content.decode()
    assert re.findall(r'<a href="(/alerts/[^"]*)" aria-current="page"', body)[:1] == ["/alerts/silences/"]
