"""Stored trees: whose tree routes whom, and which destination stays which."""

from typing import Any

import pytest
from django.db import connection, transaction

from monitoring.alerts import clock, trees
from monitoring.alerts.models import ChannelKind, Destination, Tree
from tests import world

pytestmark = pytest.mark.django_db
Entry = dict[str, Any]


def store(
    *receivers: Entry, team_id: int | None = None, route: Entry | None = None, rules: tuple[Entry, ...] = ()
) -> bool:
    return trees.store(team_id, route or {"receiver": receivers[0]["name"]}, receivers, rules, clock.now())


def hook(port: int, **more: Any) -> Entry:
    return {"url": f"http://127.0.0.1:{port}/", **more}


def places(receiver: str = "r") -> dict[str, int]:
    rows = trees.destinations(trees.tree_for(None).tree_id, receiver)
    return {row.config["url"].split(":")[2].rstrip("/"): row.pk for row in rows}


def test_where_nothing_was_applied_alerts_are_grouped_and_nobody_is_told() -> None:
    team = world.team("vision")
    view = trees.tree_for(team.pk)
    assert (view.route.receiver, view.receivers, view.is_own, view.version) == ("default", ("default",), False, 0)
    assert trees.destinations(view.tree_id, "default") == ()
    assert trees.tree_for(None).tree_id == view.tree_id
    assert trees.own_document(None) is None
    assert Tree.objects.count() == 1


def test_a_team_takes_the_platforms_tree_until_it_has_its_own_and_again_afterwards() -> None:
    vision, speech = world.team("vision"), world.team("speech")
    store({"name": "platform", "webhook": [hook(1)]})
    assert store({"name": "own", "webhook": [hook(1)]}, team_id=vision.pk)
    own, inherited, platform = (trees.tree_for(pk) for pk in (vision.pk, speech.pk, None))
    assert [view.route.receiver for view in (own, inherited, platform)] == ["own", "platform", "platform"]
    assert [view.is_own for view in (own, inherited, platform)] == [True, False, True]
    assert trees.followers(None) == (None, speech.pk)
    assert trees.followers(vision.pk) == (vision.pk,)
    assert trees.destinations(own.tree_id, "own")[0].pk != trees.destinations(platform.tree_id, "platform")[0].pk
    assert trees.destinations(own.tree_id, "platform") == ()

    trees.store(vision.pk, {}, (), (), clock.now())
    assert trees.tree_for(vision.pk).route.receiver == "platform"
    assert trees.followers(None) == (None, vision.pk, speech.pk)
    assert trees.own_document(vision.pk) is None
    assert Destination.objects.get(tree_id=own.tree_id).removed_at is not None


def test_a_version_is_counted_only_where_something_changed() -> None:
    assert store({"name": "r"})
    assert not store({"name": "r"})
    assert trees.tree_for(None).version == 1
    assert store({"name": "r"}, rules=({"source_matchers": ["a=b"], "target_matchers": ["c=d"]},))
    assert trees.tree_for(None).version == 2
    assert len(trees.tree_for(None).inhibit_rules) == 1


def test_a_tree_that_was_rolled_back_is_not_remembered() -> None:
    store({"name": "first"})
    with transaction.atomic():
        store({"name": "undone"})
        assert trees.tree_for(None).route.receiver == "undone"
        transaction.set_rollback(True)
    assert trees.tree_for(None).route.receiver == "first"
    store({"name": "second"})
    assert trees.tree_for(None).route.receiver == "second"


def test_asking_again_costs_one_query(django_assert_num_queries: Any) -> None:
    store({"name": "r"})
    trees.tree_for(None)
    with django_assert_num_queries(1):
        trees.tree_for(None)


def test_a_destination_stays_the_same_wherever_it_stands() -> None:
    store({"name": "r", "webhook": [hook(1), hook(2)]})
    before = places()
    store({"name": "r", "webhook": [hook(3), hook(2), hook(1)]})
    after = places()
    assert {port: after[port] for port in before} == before
    assert set(after) == {"1", "2", "3"}


def test_an_edited_destination_keeps_its_row_and_begins_anew() -> None:
    store({"name": "r", "webhook": [hook(1), hook(2)]})
    before = places()
    Destination.objects.update(failures=9, open_until=clock.now(), last_error="refused")
    store({"name": "r", "webhook": [hook(1), hook(2, send_resolved=False, secret={"env": "S"})]})
    assert places() == before
    first, second = Destination.objects.order_by("place")
    assert (first.failures, first.last_error, first.send_resolved) == (9, "refused", True)
    assert (second.failures, second.open_until, second.last_error, second.send_resolved) == (0, None, "", False)
    assert second.config["secret"] == {"env": "S"}


def test_a_destination_that_is_gone_is_kept_for_its_history_and_comes_back_as_itself() -> None:
    store({"name": "r", "webhook": [hook(1), hook(2)]})
    before = places()
    store({"name": "r", "webhook": [hook(2)]})
    assert places() == {"2": before["2"]}
    assert Destination.objects.get(pk=before["1"]).removed_at is not None
    store({"name": "r", "webhook": [hook(2), hook(1)]})
    assert places() == before


def test_each_channel_of_a_receiver_has_rows_of_its_own() -> None:
    store({"name": "r", "webhook": [hook(1)], "email": [{"to": "a@example.org"}, {"to": "b@example.org"}]})
    rows = trees.destinations(trees.tree_for(None).tree_id, "r")
    assert [(row.kind, row.place) for row in rows] == [
        (ChannelKind.EMAIL, 0),
        (ChannelKind.EMAIL, 1),
        (ChannelKind.WEBHOOK, 0),
    ]


def test_a_receiver_falls_back_to_the_one_it_names_else_to_the_roots() -> None:
    store({"name": "root"}, {"name": "pager", "fallback": "mail"}, {"name": "mail"})
    tree = trees.tree_for(None)
    assert [trees.fallback_of(tree, name) for name in ("pager", "mail", "root", "gone")] == [
        "mail",
        "root",
        None,
        "root",
    ]


def test_a_cached_tree_of_another_process_is_seen_by_its_version() -> None:
    store({"name": "r"})
    trees.tree_for(None)
    with connection.cursor() as cursor:  # as another process would
        cursor.execute("""UPDATE alerts_tree SET route = '{"receiver": "x"}', version = version + 1""")
    assert trees.tree_for(None).route.receiver == "x"
