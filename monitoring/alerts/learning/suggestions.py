"""What to change about noisy rules, each with its evidence and what it would have saved."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window
from fleetledger.web import words
from monitoring.alerts.learning import evidence
from monitoring.alerts.learning.asked import Asked
from monitoring.alerts.learning.evidence import HOLDS_S, Burst, RuleId, RulePast

MIN_EPISODES = 10  # fewer of a rule in the range: too few to say
MIN_UNATTENDED = 20  # of a rule on which nobody acted in UNATTENDED_OVER
UNATTENDED_OVER = timedelta(days=90)
MIN_SPARED = 0.5  # the share of a rule's episodes that a longer `for` must spare
MIN_BURSTS = 3
SHOWN = 100


class Kind(StrEnum):
    RAISE_FOR = "raise_for"
    GROUP = "group"
    SILENCE = "silence"
    ROUTE_LOWER = "route_lower"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`saved_messages` and `saved_pages`: delivered ones that there would not have been.

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


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The most saved first. `too_few`: rules with fewer than MIN_EPISODES alerts, of which nothing can be said."""

    found: tuple[Suggestion, ...]
    too_few: int
    rules: int


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes suggestions about rules of one range."""

    window: Window
    bursts: Mapping[RuleId, Burst] = field(default_factory=dict)

    def about(self, past: RulePast) -> Iterator[Suggestion]:
        yield from self._raise_for(past)
        yield from self._group(past)
        yield from self._quiet(past)

    def delete(self, past: RulePast) -> Iterator[Suggestion]:
        if past.acted or past.episodes < MIN_UNATTENDED or past.still_open:
            return
        days = self.window.duration.days
        yield self._suggestion(
            Kind.DELETE,
            past,
            title="Delete it, or make it say what to do",
            evidence=f"Nobody acted on any of its {past.episodes} alerts in {days} days; all ended by themselves.",
            saved=(past.messages, past.pages),
        )

    def _raise_for(self, past: RulePast) -> Iterator[Suggestion]:
        for place, hold_s in enumerate(HOLDS_S):
            spared, acted = past.spared(place)
            if spared < past.episodes * MIN_SPARED:
                continue
            if acted:
                return  # somebody needed to know of those
            messages = past.spared_messages(place)
            if not messages:
                return
            longer = words.duration(timedelta(seconds=hold_s))
            share = words.percent(100 * spared / past.episodes)
            yield self._suggestion(
                Kind.RAISE_FOR,
                past,
                title=f"Raise its “for” by {longer}",
                evidence=f"{share} of its {past.episodes} alerts ended by themselves within {longer}, without an act. "
                f"The other {past.episodes - spared} would have come {longer} later.",
                saved=(messages, 0),
                delayed=(past.episodes - spared, hold_s),
            )
            return

    def _group(self, past: RulePast) -> Iterator[Suggestion]:
        burst = self.bursts.get(past.rule)
        if burst is None or burst.bursts < MIN_BURSTS or not burst.saved:
            return
        by = ", ".join(("alertname", *burst.same_labels))
        yield self._suggestion(
            Kind.GROUP,
            past,
            title=f"Group it: group_by: [{by}]",
            evidence=f"{burst.bursts} times at least {evidence.MIN_BURST} of its alerts began within one minute, "
            f"{burst.episodes} in all; they came as {burst.messages} messages where {burst.messages - burst.saved} do.",
            saved=(burst.saved, 0),
        )

    def _quiet(self, past: RulePast) -> Iterator[Suggestion]:
        if past.withheld == past.episodes:
            yield self._suggestion(
                Kind.SILENCE,
                past,
                title="Take it out, or let its silence end",
                evidence=f"All of its {past.episodes} alerts were withheld: nobody was meant to hear of them.",
                saved=(past.messages, past.pages),
            )
        elif past.night_pages >= MIN_EPISODES and not past.night_acted:
            yield self._suggestion(
                Kind.ROUTE_LOWER,
                past,
                title="Let it wait until the morning",
                evidence=f"It paged {words.plural(past.night_pages, 'time')} between 22:00 and 07:00, and nobody acted "
                "on any of those alerts.",
                saved=(0, past.night_pages),
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
            from_at=f"{self.window.start:%Y-%m-%dT%H:%MZ}",
            until_at=f"{self.window.end:%Y-%m-%dT%H:%MZ}",
        )


def suggestions(asked: Asked, *, teams: TeamScope) -> Suggestions:
    """At most SHOWN. A rule that should go altogether gets no other suggestion."""
    pasts = evidence.pasts(asked, teams=teams)
    enough = [past for past in pasts if past.episodes >= MIN_EPISODES]
    long = replace(asked, window=Window(asked.window.end - UNATTENDED_OVER, asked.window.end))
    dead = list(_dead(evidence.pasts(long, teams=teams), _Writer(long.window)))
    gone = {(one.rule, one.team) for one in dead}
    writer = _Writer(asked.window, evidence.bursts(asked, teams=teams))
    rest = [one for past in enough if (past.rule.name, past.rule.team) not in gone for one in writer.about(past)]
    found = sorted([*dead, *rest], key=lambda one: (-one.saved_messages - one.saved_pages, one.rule, one.team or ""))
    return Suggestions(tuple(found[:SHOWN]), len(pasts) - len(enough), len(pasts))


def _dead(pasts: Iterable[RulePast], writer: _Writer) -> Iterator[Suggestion]:
    for past in pasts:
        yield from writer.delete(past)
