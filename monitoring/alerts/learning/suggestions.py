"""What to change about noisy rules, each with its evidence and what it would have saved."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window
from fleetledger.web import words
from monitoring.alerts.learning import bursts, evidence
from monitoring.alerts.learning.asked import Asked
from monitoring.alerts.learning.evidence import RuleId, RulePast
from monitoring.alerts.learning.placed import HOLDS_S
from monitoring.alerts.models import Rule

MIN_EPISODES = 10  # fewer of a rule in the range: too few to say
MIN_UNATTENDED = 20  # of a rule on which nobody acted in UNATTENDED_OVER
UNATTENDED_OVER = timedelta(days=90)
MIN_SPARED = 0.5  # the share of a rule's alerts that a longer `for` must spare
MOST_ACTED = 0.1  # of those on which somebody acted: more of them, and they were worth telling
MIN_BURSTS = 3
MIN_FLAPPING = 3  # times that a rule's alerts began to flap
SOON = HOLDS_S.index(900)  # an alert that is back within that is a part of the same trouble
MOST_OF = 0.8  # the share of those that a longer `keep_firing_for` must join
SHOWN = 100


class Kind(StrEnum):
    RAISE_FOR = "raise_for"
    KEEP_FIRING = "keep_firing_for"
    GROUP = "group"
    SILENCE = "silence"
    ROUTE_LOWER = "route_lower"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`saved_messages` to receivers and `saved_pages` of persons: delivered ones that there would not have been.

    `delayed`: alerts that would have come later, by `delay_s` seconds. `from_at` and `until_at`: of the evidence.
    """

    kind: Kind
    rule: str
    team: str | None
    title: str
    evidence: str
    episodes: int
    saved_messages: int
    saved_pages: int
    delayed: int
    delay_s: int
    from_at: str
    until_at: str

    @property
    def saved(self) -> int:
        return self.saved_messages + self.saved_pages


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The most saved first. `too_few`: rules with fewer than MIN_EPISODES alerts, of which nothing can be said."""

    found: tuple[Suggestion, ...]
    too_few: int
    rules: int


@dataclass(frozen=True, slots=True)
class Present:
    """How a rule of our own is set now, in seconds."""

    for_s: float
    keep_firing_for_s: float


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes suggestions about rules of one range; `long`: that of a rule that may go altogether."""

    window: Window
    long: Window
    present: Mapping[RuleId, Present] = field(default_factory=dict)

    def about(self, past: RulePast) -> Iterator[Suggestion]:
        yield from self._raise_for(past)
        yield from self._keep_firing(past)
        yield from self._group(past)
        yield from self._quiet(past)

    def delete(self, past: RulePast) -> Iterator[Suggestion]:
        long = past.long
        if long.acted or long.episodes < MIN_UNATTENDED or long.still_open:
            return
        whole = self._suggestion(
            Kind.DELETE,
            past,
            title="Delete it, or make it say what to do",
            evidence=f"Nobody acted on any of its {long.episodes} alerts in {self.long.duration.days} days; "
            "all ended by themselves.",
            saved=(long.messages, long.pages),
        )
        yield replace(whole, episodes=long.episodes, from_at=_instant(self.long.start))

    def _raise_for(self, past: RulePast) -> Iterator[Suggestion]:
        """The least that spares half of the alerts, where hardly anybody needed to know of those."""
        place = next((place for place, over in enumerate(past.over_within) if over >= past.episodes * MIN_SPARED), None)
        if place is None or past.acted_within[place] >= past.over_within[place] * MOST_ACTED:
            return
        saved = past.messages.over_within[place], past.pages.over_within[place]
        if not sum(saved):
            return
        hold_s, over = HOLDS_S[place], past.over_within[place]
        longer, others = _span(hold_s), past.episodes - over
        present = self.present.get(past.rule)
        acted = past.acted_within[place]
        had = f"somebody acted on {acted} of them" if acted else "without an act"
        yield self._suggestion(
            Kind.RAISE_FOR,
            past,
            title=_longer("for", present.for_s if present else None, hold_s),
            evidence=f"{words.percent(100 * over / past.episodes)} of its {past.episodes} alerts ended by themselves "
            f"within {longer}, {had}. The other {others} would have come {longer} later.",
            saved=saved,
            delayed=(others, hold_s),
        )

    def _keep_firing(self, past: RulePast) -> Iterator[Suggestion]:
        """The least that joins most of the alerts that were back within a quarter of an hour."""
        soon = past.back_within[SOON]
        if past.flapping < MIN_FLAPPING or soon < MIN_EPISODES:
            return
        place = next(place for place, back in enumerate(past.back_within) if back >= soon * MOST_OF)
        present = self.present.get(past.rule)
        pause = _span(HOLDS_S[place])
        yield self._suggestion(
            Kind.KEEP_FIRING,
            past,
            title=_longer("keep_firing_for", present.keep_firing_for_s if present else None, HOLDS_S[place]),
            evidence=f"It began to flap {words.plural(past.flapping, 'time')}: {past.back_within[place]} of its "
            f"{past.episodes} alerts were back within {pause}. Ends would be told {pause} later.",
            saved=(past.messages.back_within[place], past.pages.back_within[place]),
        )

    def _group(self, past: RulePast) -> Iterator[Suggestion]:
        burst = past.bursts
        if burst is None or burst.bursts < MIN_BURSTS or not burst.saved:
            return
        by = ", ".join(("alertname", *burst.same_labels))
        yield self._suggestion(
            Kind.GROUP,
            past,
            title=f"Group it: group_by: [{by}]",
            evidence=f"{burst.bursts} times at least {bursts.MIN_BURST} of its alerts began within one minute, "
            f"{burst.episodes} in all; they came as {burst.messages} messages where {burst.messages - burst.saved} do.",
            saved=(burst.saved, 0),
        )

    def _quiet(self, past: RulePast) -> Iterator[Suggestion]:
        pages = past.pages
        if past.withheld == past.episodes:
            yield self._suggestion(
                Kind.SILENCE,
                past,
                title="Take it out, or let its silence end",
                evidence=f"All of its {past.episodes} alerts were withheld: nobody was meant to hear of them.",
                saved=(past.messages.told, pages.told),
            )
        elif pages.at_night >= MIN_EPISODES and not pages.night_acted:
            yield self._suggestion(
                Kind.ROUTE_LOWER,
                past,
                title="Let it wait until the morning",
                evidence=f"It paged {words.plural(pages.at_night, 'time')} between 22:00 and 07:00, and nobody acted "
                "on any of those alerts.",
                saved=(0, pages.at_night),
            )

    def _suggestion(
        self,
        kind: Kind,
        past: RulePast,
        *,
        title: str,
        evidence: str,
        saved: tuple[int, int],
        delayed: tuple[int, int] = (0, 0),
    ) -> Suggestion:
        return Suggestion(
            kind=kind,
            rule=past.rule.name,
            team=past.rule.team,
            title=title,
            evidence=evidence,
            episodes=past.episodes,
            saved_messages=saved[0],
            saved_pages=saved[1],
            delayed=delayed[0],
            delay_s=delayed[1],
            from_at=_instant(self.window.start),
            until_at=_instant(self.window.end),
        )


def suggestions(asked: Asked, *, teams: TeamScope) -> Suggestions:
    """At most SHOWN. A rule that should go altogether gets no other suggestion."""
    long = Window(asked.window.end - UNATTENDED_OVER, asked.window.end)
    all_pasts = evidence.pasts(asked, long.start, teams=teams)
    pasts = [past for past in all_pasts if past.episodes]
    enough = [past for past in pasts if past.episodes >= MIN_EPISODES]
    writer = _Writer(asked.window, long, _present(past.rule for past in enough))
    dead = [one for past in all_pasts for one in writer.delete(past)]
    gone = {(one.rule, one.team) for one in dead}
    rest = [one for past in enough if (past.rule.name, past.rule.team) not in gone for one in writer.about(past)]
    found = sorted([*dead, *rest], key=lambda one: (-one.saved, one.rule, one.team or ""))
    return Suggestions(tuple(found[:SHOWN]), len(pasts) - len(enough), len(pasts))


def _present(rules: Iterable[RuleId]) -> dict[RuleId, Present]:
    """Those that we evaluate ourselves; of others only their Prometheus knows."""
    rows = Rule.objects.filter(name__in={rule.name for rule in rules})
    values = rows.values_list("name", "team__slug", "for_s", "keep_firing_for_s")
    return {RuleId(name, team): Present(*spans) for name, team, *spans in values}


def _longer(name: str, present_s: float | None, by_s: int) -> str:
    """Raise its “for” by 2 min, and from what to what where that is known."""
    if present_s is None:
        return f"Raise its “{name}” by {_span(by_s)}"
    if not present_s:
        return f"Give it a “{name}” of {_span(by_s)}"
    return f"Raise its “{name}” from {_span(present_s)} to {_span(present_s + by_s)}"


def _span(seconds: float) -> str:
    return words.duration(timedelta(seconds=seconds))


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"
