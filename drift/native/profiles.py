"""The buckets of a reference, whole and by season."""

from datetime import datetime

from drift.findings.rules import Rules
from drift.findings.seasons import References, Season
from drift.findings.windows import rules_of
from drift.measures.robust.profile import Profile
from drift.models import Model, Reference
from drift.native.meanings import Meanings


def profiles_of(reference: Reference, meanings: Meanings) -> References:
    return References(
        Profile.from_json(reference.profile),
        Season(reference.seasons.get("season", Season.NONE)),
        meanings.zone,
        {name: Profile.from_json(part) for name, part in reference.seasons.get("parts", {}).items()},
    )


def profile_for(model: Model, reference: Reference, start: datetime) -> Profile:
    """What a window that begins at `start` is compared with. The season is that of the reference, for ever."""
    rules: Rules = rules_of(model)
    return profiles_of(reference, Meanings.of(model)).of(start, rules)
