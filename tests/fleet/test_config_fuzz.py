"""Whatever stands in a configuration file, it is applied or refused in words, never a crash."""

import contextlib
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetledger.fleet import config
from fleetledger.fleet.config.registry import LATER, sections

pytestmark = pytest.mark.django_db
SECTIONS = [*(section.name for section in sections()), *LATER, "other"]
KEYS = [
    *("name", "slug", "cluster", "kind", "url", "targets", "token", "headers", "match", "team", "parent", "members"),
    *(
        "user",
        "role",
        "from",
        "until",
        "gpus",
        "tags",
        "namespace",
        "idle",
        "owner",
        "scrape_interval",
        "format",
        "env",
    ),
    *("receiver", "matchers", "match_re", "routes", "group_by", "group_wait", "route", "receivers", "webhook", "email"),
    *("source_matchers", "target_match", "equal", "fallback", "to", "apprise"),
]
WORDS = st.sampled_from(
    ["prometheus", "bill", "nvml", "vision", "c1", "30s", "focus", "http://x", "2026-01-01", "(", "a=b"]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(), st.datetimes(), WORDS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(values=st.dictionaries(st.sampled_from(SECTIONS), VALUES, max_size=3))
def test_any_values_are_applied_or_refused_in_words(values: dict[str, Any]) -> None:
    with contextlib.suppress(config.ConfigError):
        config.apply([("fuzz.yaml", yaml.safe_dump(values, allow_unicode=True))], dry_run=True)


@FUZZ
@given(text=st.text(alphabet=st.sampled_from("teams:-{}[]&*!|>%@`'\"# \n\tslug?,<=~\x00\ufeff"), max_size=40))
def test_any_text_is_applied_or_refused_in_words(text: str) -> None:
    with contextlib.suppress(config.ConfigError):
        config.apply([("fuzz.yaml", text)], dry_run=True)
