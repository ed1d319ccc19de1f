"""What a request for alerts asks for: matchers, receivers, and which states."""

from dataclasses import dataclass

from django.http import QueryDict

from monitoring.alerts.am_api.listing import OpenAlert
from monitoring.alerts.labels import Labels
from monitoring.alerts.matchers import Matcher, Op, all_match, parse

_YES = frozenset({"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"})
_RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An empty `receiver` asks for every one."""

    matchers: tuple[Matcher, ...] = ()
    receiver: Matcher | None = None
    active: bool = True
    silenced: bool = True
    inhibited: bool = True

    def has_labels(self, labels: Labels) -> bool:
        return all_match(self.matchers, labels)

    def has_receiver(self, *names: str) -> bool:
        """Whether one of these receivers is asked for."""
        return self.receiver is None or any(self.receiver.matches({_RECEIVER: name}) for name in names)

    def has_state(self, alert: OpenAlert) -> bool:
        if alert.is_suppressed:
            return (self.silenced or not alert.silenced_by) and (self.inhibited or not alert.inhibited_by)
        return self.active


def wanted(query: QueryDict) -> Wanted:
    """Raises MatcherError for a filter or an expression that is none. Nothing of ours is ever `unprocessed`."""
    receiver = query.get(_RECEIVER, "")
    return Wanted(
        matchers=matchers(query),
        receiver=Matcher(_RECEIVER, Op.REGEX, receiver) if receiver else None,
        active=_flag(query, "active"),
        silenced=_flag(query, "silenced"),
        inhibited=_flag(query, "inhibited"),
    )


def matchers(query: QueryDict) -> tuple[Matcher, ...]:
    """The repeated `filter`, each one matcher; raises MatcherError."""
    return tuple(map(parse, query.getlist("filter")))


def _flag(query: QueryDict, name: str) -> bool:
    """Yes unless it is said otherwise, in the words that Alertmanager takes."""
    text = query.get(name, "")
    return not text or text.lower() in _YES
