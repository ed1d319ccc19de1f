"""The configuration file: applied as a whole, twice the same, and written back."""

from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks

from fleetledger.fleet import config, signals
from fleetledger.fleet.models import Cluster, Membership, Node, OwnershipRule, Pool, Source, Team, User
from tests import world

pytestmark = pytest.mark.django_db
SCHEMA = Path(config.__file__).with_name("schema.json")
WHOLE = """\
clusters: [{name: c1, provider: aws, region: us-west-2}]
nodes:
  - {name: node-a, cluster: c1, provider_id: "aws:///us-west-2a/i-0abc", gpus: 8}
teams:
  - {slug: vision, name: Vision Research, cost_center: "4410", parent: research, members: [{user: mira, role: lead}]}
  - {slug: research}
  - {slug: speech, name: Speech}
ownership:
  - {team: vision, from: 2026-01-01, match: {cluster: c1, namespace: "vision-.*"}}
  - {team: speech, until: 2027-01-01, match: {tags: {business_unit: SpeechAI}}}
sources:
  - {name: prom1, kind: prometheus, url: "http://127.0.0.1:9090", cluster: c1, scrape_interval: 30s,
     replica_labels: [prometheus_replica], token: {env: PROM_TOKEN}, headers: {X-Scope-OrgID: a}}
  - {name: nodes, kind: exporters, targets: ["http://127.0.0.1:9400/metrics"], cluster: c1}
  - {name: local, kind: nvml, cluster: c1, enabled: false}
  - {name: aws, kind: bill, format: focus, currency: USD, basis: effective}
pools:
  - {name: h100, match: {gpu_model: ".*H100.*"}, idle: keep, share: slices}
  - {name: reserved, match: {node: "r-.*"}, idle: owner, owner: vision}
slos: []
route:
"""


def apply(text: str, *, file: str = "fleet.yaml", dry_run: bool = False) -> config.Outcome:
    return config.apply([(file, text)], dry_run=dry_run)


def lines(text: str) -> list[str]:
    return [str(change) for change in apply(text).changes]


def mistakes(text: str) -> list[str]:
    with pytest.raises(config.ConfigError) as caught:
        apply(text)
    return str(caught.value).splitlines()


def test_a_file_is_brought_in_and_shown() -> None:
    assert lines(WHOLE) == [
        "+ cluster c1: provider aws, region us-west-2",
        "+ node c1/node-a: declared yes, provider_id aws:///us-west-2a/i-0abc, gpus 8",
        "+ team vision: name Vision Research, cost_center 4410",
        "+ team research",
        "+ team speech: name Speech",
        "~ team vision: parent none -> research",
        "+ user mira: no password yet; run: fleetledger user create mira",
        "+ member vision/mira: role lead",
        (
            "+ source prom1: cluster c1, enabled yes, config {url: http://127.0.0.1:9090, scrape_interval: 30s, "
            "replica_labels: ['prometheus_replica'], token: {env: PROM_TOKEN}, headers: {X-Scope-OrgID: a}}"
        ),
        "+ source nodes: cluster c1, enabled yes, config {targets: ['http://127.0.0.1:9400/metrics']}",
        "+ source local: cluster c1, enabled no",
        "+ source aws: enabled yes, config {format: focus, currency: USD, basis: effective}",
        "+ pool h100: match {gpu_model: .*H100.*}, idle keep, share slices",
        "+ pool reserved: match {node: r-.*}, idle owner, share slices, owner Vision Research",
        "+ ownership rule vision from 2026-01-01: cluster=c1 namespace=vision-.*",
        "+ ownership rule speech until 2027-01-01: tags={business_unit: SpeechAI}",
    ]
    assert not User.objects.get(username="mira").has_usable_password()
    assert Source.objects.get(name="prom1").config["token"] == {"env": "PROM_TOKEN"}


def test_the_second_time_nothing_changes() -> None:
    apply(WHOLE)
    ids = list(OwnershipRule.objects.values_list("pk", flat=True))
    assert apply(WHOLE).changes == ()
    assert list(OwnershipRule.objects.values_list("pk", flat=True)) == ids


def test_what_is_exported_applies_as_no_change() -> None:
    apply(WHOLE)
    exported = config.export()
    assert apply(exported) == config.Outcome(changes=(), notes=(), is_dry_run=False)
    Team.objects.update(parent=None)
    for model in (OwnershipRule, Membership, Pool, Source, Node, Team, Cluster):
        model.objects.all().delete()
    apply(exported)
    assert config.export() == exported


def test_an_empty_installation_exports_an_empty_file() -> None:
    assert yaml.safe_load(config.export()) is None
    assert apply(config.export()).changes == ()


def test_a_dry_run_shows_everything_and_changes_nothing() -> None:
    outcome = apply(WHOLE, dry_run=True)
    assert (len(outcome.changes), Team.objects.count(), Cluster.objects.count()) == (16, 0, 0)


def test_several_files_are_one() -> None:
    outcome = config.apply(
        [("a.yaml", "teams: [{slug: vision, parent: research}]"), ("b.yaml", "teams: [{slug: research}]")]
    )
    assert [str(change) for change in outcome.changes] == [
        "+ team vision",
        "+ team research",
        "~ team vision: parent none -> research",
    ]


def test_a_mistake_in_the_second_file_is_told_with_that_files_line() -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.apply([("a.yaml", "teams:\n- {slug: a}\n"), ("b.yaml", "\nteams:\n- {slug: b}\n- {slag: c}\n")])
    assert [str(issue.place) for issue in caught.value.issues] == ["b.yaml:4", "b.yaml:4"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "teams:\n- slug: vision\n  nmae: Vision\n",
            (
                "fleet.yaml:3: teams[0].nmae: No key is called 'nmae'. Did you mean 'name'? "
                "Known: slug, name, cost_center, parent, members."
            ),
        ),
        ("teams:\n- name: Vision\n", "fleet.yaml:2: teams[0]: 'slug' is missing."),
        (
            "teams:\n- {slug: vision, cost_center: 4410}\n",
            "fleet.yaml:2: teams[0].cost_center: This must be a text, not '4410'. Put it in quotes.",
        ),
        (
            "teams:\n- {slug: Vision AI}\n",
            (
                "fleet.yaml:2: teams[0].slug: 'Vision AI' does not fit. "
                "Write: A team's slug: a-z, 0-9 and -, such as vision."
            ),
        ),
        ("teams: {slug: vision}\n", "fleet.yaml:1: teams: This must be a list, not a mapping."),
        (
            "teams: [{slug: new}]",
            "fleet.yaml:1: teams[0].slug: 'new' is a reserved word. Call the team something else.",
        ),
        ("teams:\n- {slug: a}\n- {slug: a}\n", "fleet.yaml:3: teams[1].slug: The team 'a' stands twice."),
        ("- a\n", "fleet.yaml:1: The file holds sections such as 'teams:', nothing else."),
        ("teams: [\n", "fleet.yaml:2: This is no YAML: expected the node content, but found '<stream end>'."),
        (
            'teams: [{slug: a, name: "\\0"}]',
            "fleet.yaml:1: teams[0].name: This text holds a character that cannot be stored.",
        ),
        ("teams: []\nteams: []\n", "fleet.yaml:2: teams: This key stands twice."),
        (
            "budgets: [{team: vision}]",
            "fleet.yaml:1: budgets: 'budgets' is not supported by this version yet. Take it out, or leave it empty.",
        ),
        (
            "sources:\n- {name: p, kind: promotheus, url: 'http://x'}\n",
            "fleet.yaml:2: sources[0].kind: 'kind' is one of prometheus, exporters, nvml, bill.",
        ),
        ("sources: [{name: p, kind: prometheus}]", "fleet.yaml:1: sources[0]: 'url' is missing."),
        (
            "sources:\n- name: p\n  kind: prometheus\n  url: http://x\n  token: abc\n",
            "fleet.yaml:5: sources[0].token: A secret never stands in the file: write {env: NAME} or {file: PATH}.",
        ),
        (
            "sources:\n- name: p\n  kind: prometheus\n  url: http://x\n  headers:\n    Authorization: Bearer abc\n",
            (
                "fleet.yaml:6: sources[0].headers.Authorization: "
                "A secret never stands in the file: write {env: NAME} or {file: PATH}."
            ),
        ),
        (
            "sources: [{name: p, kind: prometheus, url: 'http://me:abc@x'}]",
            (
                "fleet.yaml:1: sources[0].url: The address holds a password. A secret never stands in the file: "
                "write {env: NAME} or {file: PATH}. Use 'basic_auth'."
            ),
        ),
        (
            "sources: [{name: p, kind: prometheus, url: 'ftp://x'}]",
            "fleet.yaml:1: sources[0].url: 'ftp://x' does not fit. Write: http://HOST:PORT",
        ),
        (
            "sources: [{name: p, kind: prometheus, url: 'http://x', scrape_interval: half}]",
            "fleet.yaml:1: sources[0].scrape_interval: 'half' does not fit. Write: A duration such as 30s, 5m or 1h.",
        ),
        (
            "sources: [{name: p, kind: prometheus, url: 'http://x', scrape_interval: 0s}]",
            "fleet.yaml:1: sources[0].scrape_interval: '0s' is no duration. Write it as 30s, 5m, 1h30m or 7d.",
        ),
        (
            "sources: [{name: aws, kind: bill, format: focus, currency: XXQ}]",
            "fleet.yaml:1: sources[0].currency: 'XXQ' is no currency of ISO 4217. Write one such as USD.",
        ),
        (
            "teams: [{slug: a}]\nownership:\n- team: a\n  match: {namespace: 'a('}\n",
            (
                "fleet.yaml:4: ownership[0].match.namespace: 'a(' is no regular expression: "
                "missing ), unterminated subpattern at position 1."
            ),
        ),
        (
            "teams: [{slug: a}]\nownership:\n- {team: b, match: {namespace: x}}\n",
            "fleet.yaml:3: ownership[0].team: No team is called 'b'. Known: a.",
        ),
        (
            "teams: [{slug: a}]\nownership:\n- {team: a, match: {}}\n",
            (
                "fleet.yaml:3: ownership[0].match: a mapping does not fit. Write: At least one of cluster, namespace, "
                "node, workload, gpu_model, pool, tags."
            ),
        ),
        (
            "teams: [{slug: a}]\nownership:\n- {team: a, from: 2026-02-30, match: {node: n}}\n",
            "fleet.yaml:3: ownership[0].from: '2026-02-30' cannot be read. Put it in quotes if it is a text.",
        ),
        (
            "teams: [{slug: a}]\nownership:\n- {team: a, from: 2026-02-02, until: 2026-02-02, match: {node: n}}\n",
            (
                "fleet.yaml:3: ownership[0].until: 'until' comes after 'from' (2026-02-02); "
                "a rule holds up to that day, without it."
            ),
        ),
        (
            "pools: [{name: p, match: {}, idle: owner}]",
            "fleet.yaml:1: pools[0].idle: 'idle: owner' needs to know whose the pool is. Add 'owner: TEAM'.",
        ),
        (
            "pools: [{name: p, match: {}, idle: keeep}]",
            "fleet.yaml:1: pools[0].idle: 'keeep' is not known. Did you mean 'keep'? Known: keep, owner, share.",
        ),
        (
            "teams: [{slug: a, parent: ghost}]",
            "fleet.yaml:1: teams[0].parent: No team is called 'ghost'. Known: a.",
        ),
    ],
)
def test_a_mistake_is_told_with_file_line_key_and_what_would_be_right(text: str, expected: str) -> None:
    assert mistakes(text) == [expected]
    assert (Team.objects.count(), Source.objects.count(), Pool.objects.count()) == (0, 0, 0)


def test_all_mistakes_are_told_at_once() -> None:
    assert len(mistakes("teams:\n- {slg: a}\n- {slug: b, x: 1}\nclusterz: []\n")) == 4


def test_teams_in_a_circle_are_refused() -> None:
    found = mistakes("teams:\n- {slug: a, parent: b}\n- {slug: b, parent: c}\n- {slug: c, parent: a}\n")
    assert found[0] == "fleet.yaml:2: teams[0].parent: A team cannot stand below itself: a -> b -> c -> a."


def test_a_circle_closed_by_what_is_stored_is_refused() -> None:
    apply("teams: [{slug: a}, {slug: b, parent: a}]")
    assert mistakes("teams: [{slug: a, parent: b}]") == [
        "fleet.yaml:1: teams[0].parent: A team cannot stand below itself: a -> b -> a."
    ]


def test_anchors_that_blow_up_are_refused() -> None:
    layers = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))
    assert "too deep or too large" in mistakes(f"l0: &l0 [x, x]\n{layers}\n")[0]


def test_what_the_file_does_not_name_stays_and_is_mentioned() -> None:
    apply(WHOLE)
    outcome = apply("teams: [{slug: speech, name: Speech}]")
    assert outcome.notes == ("Not named in the file, so left as it is: 2 of teams (research, vision).",)
    assert Team.objects.count() == 3


def test_a_key_that_is_left_out_stays_and_null_clears_it() -> None:
    apply(WHOLE)
    assert lines("teams: [{slug: vision}]") == []
    assert lines("teams: [{slug: vision, parent: null, cost_center: null}]") == [
        "~ team vision: cost_center 4410 -> none",
        "~ team vision: parent research -> none",
    ]


def test_members_are_those_of_the_file() -> None:
    apply(WHOLE)
    assert lines("teams: [{slug: vision, members: [{user: noor}]}]") == [
        "+ user noor: no password yet; run: fleetledger user create noor",
        "+ member vision/noor: role viewer",
        "- member vision/mira",
    ]
    assert User.objects.filter(username="mira").exists()


def test_a_members_role_is_changed() -> None:
    apply(WHOLE)
    assert lines("teams: [{slug: vision, members: [{user: mira, role: viewer}]}]") == [
        "~ member vision/mira: role lead -> viewer"
    ]


def test_ownership_becomes_the_list_of_the_file() -> None:
    apply(WHOLE)
    first = "ownership:\n- {team: speech, match: {node: n1}}\n"
    text = f"{first}- {{team: vision, from: 2026-01-01, match: {{cluster: c1, namespace: 'vision-.*'}}}}\n"
    assert lines(text) == [
        "+ ownership rule speech: node=n1",
        "- ownership rule speech until 2027-01-01: tags={business_unit: SpeechAI}",
    ]
    assert [rule.team.slug for rule in OwnershipRule.objects.all()] == ["speech", "vision"]
    assert lines("ownership: []") == [
        "- ownership rule speech: node=n1",
        "- ownership rule vision from 2026-01-01: cluster=c1 namespace=vision-.*",
    ]


def test_rules_stay_where_the_section_is_absent() -> None:
    apply(WHOLE)
    assert lines("clusters: [{name: c1}]") == []
    assert OwnershipRule.objects.count() == 2


def test_a_change_of_owners_is_announced_from_its_first_day(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    heard: list[date | None] = []

    def listen(from_day: date | None, **_words: Any) -> None:
        heard.append(from_day)

    signals.ownership_changed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            apply("teams: [{slug: a}]\nownership: [{team: a, from: 2026-03-01, match: {node: n}}]")
        with django_capture_on_commit_callbacks(execute=True):
            outcome = apply("ownership: [{team: a, match: {node: n}}]")
        with django_capture_on_commit_callbacks(execute=True):
            apply("ownership: [{team: a, match: {node: n}}]")
        with django_capture_on_commit_callbacks(execute=True):
            apply("ownership: []", dry_run=True)
    finally:
        signals.ownership_changed.disconnect(listen)
    assert heard == [date(2026, 3, 1), None]
    assert outcome.notes == ("Who owns what changes from the first day on: facts from there are rebuilt.",)


def test_a_cluster_that_only_a_source_names_is_made_and_shown() -> None:
    assert lines("sources: [{name: local, kind: nvml, cluster: c9}]")[0] == "+ cluster c9"
    assert lines("sources: [{name: bare, kind: nvml}]")[0] == "+ cluster default"


def test_a_sources_kind_stays() -> None:
    apply(WHOLE)
    assert mistakes("sources: [{name: local, kind: bill, format: focus}]") == [
        "fleet.yaml:1: sources[0].kind: 'local' is a source of kind nvml. Give the new one another name."
    ]


def test_a_node_seen_in_telemetry_keeps_what_the_file_leaves_out() -> None:
    world.node("n1", provider_id="aws:///i-1", gpus=8)
    assert lines("nodes: [{name: n1, cluster: c1}]") == ["~ node c1/n1: declared no -> yes"]
    assert (Node.objects.get().provider_id, Node.objects.get().gpus) == ("aws:///i-1", 8)


def test_pools_stand_in_the_files_order() -> None:
    apply("pools: [{name: a, match: {}}, {name: b, match: {}}]")
    assert lines("pools: [{name: b, match: {}}, {name: a, match: {}}]") == ["~ pools order: b, a"]
    assert [pool.name for pool in Pool.objects.all()] == ["b", "a"]


def test_the_published_schema_is_the_one_in_use() -> None:
    assert orjson.loads(SCHEMA.read_bytes()) == config.json_schema()
