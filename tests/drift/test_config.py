"""Models in the configuration file: brought in with a difference, refused with file, line and key, written back."""

import pytest
import yaml

from drift.models import Model
from fleetledger.fleet import config

pytestmark = pytest.mark.django_db
WHOLE = """\
teams: [{slug: vision}, {slug: speech}]
pools: [{name: h100, match: {gpu_model: ".*H100.*"}}]
models:
  - {name: intents, owner: speech}
  - name: ranker
    owner: vision
    description: Orders what people see
    production: true
    importance: 5
    pool: h100
    retrain_match: {workload: "retrain-ranker-.*"}
    retrain_webhook: {url: "https://ci.example.org/retrain", secret: {env: RETRAIN_KEY}}
    expected_every: 1d
    window: hour
    watch: /srv/reports/ranker
    settings: {recipe: evidently-compatible, thresholds: {age: 0.2}}
"""


def apply(text: str) -> config.Outcome:
    return config.apply([("fleet.yaml", text)])


def lines(text: str) -> list[str]:
    return [str(change) for change in apply(text).changes]


def refused(model: str) -> list[str]:
    """The mistakes of one model, without its file."""
    with pytest.raises(config.ConfigError) as caught:
        apply(f"teams: [{{slug: vision}}]\nmodels:\n  - {model}\n")
    return [line.removeprefix("fleet.yaml:3: models[0]") for line in str(caught.value).splitlines()]


def test_models_are_brought_in_and_shown() -> None:
    assert lines(WHOLE)[-2:] == [
        "+ model intents: owner speech, is_production no, importance 3, window_grain day",
        (
            "+ model ranker: owner vision, description Orders what people see, is_production yes, importance 5, "
            "pool h100, retrain_match {workload: retrain-ranker-.*}, "
            "retrain_webhook {url: https://ci.example.org/retrain, secret: {env: RETRAIN_KEY}}, "
            "expected_every_s 86400, window_grain hour, watch /srv/reports/ranker, "
            "settings {recipe: evidently-compatible, thresholds: {age: 0.2}}"
        ),
    ]


def test_what_is_exported_changes_nothing() -> None:
    apply(WHOLE)
    exported = config.export()
    assert yaml.safe_load(exported)["models"] == yaml.safe_load(WHOLE)["models"]
    assert lines(exported) == []


def test_a_model_that_is_left_out_is_removed_from_sight_and_comes_back() -> None:
    apply(WHOLE)
    assert lines("models: [{name: intents, owner: speech}]") == ["- model ranker: its reports are kept"]
    assert Model.objects.get(name="ranker").removed_at is not None
    assert [item["name"] for item in yaml.safe_load(config.export())["models"]] == ["intents"]
    assert lines(WHOLE) == ["+ model ranker: it was removed before; its reports are here still"]
    assert Model.objects.get(name="ranker").removed_at is None


def test_a_webhook_may_be_written_as_an_address() -> None:
    model = '{name: ranker, owner: vision, retrain_webhook: "https://ci.example.org/x"}'
    apply(f"teams: [{{slug: vision}}]\nmodels: [{model}]")
    assert Model.objects.get().retrain_webhook == {"url": "https://ci.example.org/x"}
    assert yaml.safe_load(config.export())["models"] == [yaml.safe_load(model)]


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("{name: ranker, owner: visoin}", ".owner: No team is called 'visoin'. Known: vision."),
        ("{name: ranker, owner: vision, pool: a100}", ".pool: No pool is called 'a100'. Add it under 'pools'."),
        (
            "{name: ranker, owner: vision, expected_every: 5s}",
            ".expected_every: Reports are awaited a minute apart at least. Write 1m or more.",
        ),
        (
            '{name: ranker, owner: vision, retrain_webhook: "https://me:pass@ci.example.org/x"}',
            (
                ".retrain_webhook: The address holds a password. "
                "A secret never stands in the file: write {env: NAME} or {file: PATH}."
            ),
        ),
    ],
)
def test_a_wrong_model_is_refused_with_its_key(model: str, sentence: str) -> None:
    assert refused(model) == [sentence]


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("{name: 'a b', owner: vision}", ".name"),
        ("{name: ranker}", ""),
        ("{name: ranker, owner: vision, importance: 6}", ".importance"),
        ("{name: ranker, owner: vision, retrain_match: {}}", ".retrain_match"),
        ("{name: ranker, owner: vision, watch: reports}", ".watch"),
        ("{name: ranker, owner: vision, retrain_webhook: {secret: {env: X}}}", ".retrain_webhook"),
        ("{name: ranker, owner: vision, colour: red}", ".colour"),
    ],
)
def test_a_model_of_another_shape_is_refused(model: str, key: str) -> None:
    (line,) = refused(model)
    assert line.startswith(f"{key}:")


def test_the_same_name_stands_once() -> None:
    with pytest.raises(config.ConfigError, match=r"models\[1\].name: The model 'a' stands twice."):
        apply("teams: [{slug: vision}]\nmodels: [{name: a, owner: vision}, {name: a, owner: vision}]")
