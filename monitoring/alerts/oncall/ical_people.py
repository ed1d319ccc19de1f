"""Finds out who is meant by a calendar's event."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitoring.alerts.oncall.ical_in import Event

MOST_WORDS = 6  # of a full name
_MAIL = re.compile(r"[^\s<>(),;:\"]+@[^\s<>(),;:\"]+")
_BETWEEN = re.compile(r"[,;:/&|+()\[\]<>–—]|\s-\s|\s(?:and|und|et|y|e)\s", re.IGNORECASE)  # noqa: RUF001 dashes of people


@dataclass(frozen=True, slots=True)
class Directory:
    """Everybody who can be on call: user names by user name, by mail address, and by full name, each in lower case."""

    by_username: Mapping[str, str]
    by_mail: Mapping[str, str]
    by_name: Mapping[str, str]

    @classmethod
    def of(cls, people: Iterable[tuple[str, str, str]]) -> "Directory":
        """From (user name, mail address, full name); what two share means neither."""
        usernames, mails, names = [], [], []
        for username, mail, name in people:
            usernames.append((username.casefold(), username))
            mails.append((mail.casefold(), username))
            names.append((_plain(name), username))
        return cls(_unique(usernames), _unique(mails), _unique(names))


@dataclass(frozen=True, slots=True)
class Meaning:
    """The user names that an event means; `unknown`: words of it that mean nobody."""

    people: tuple[str, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """`given`: the layer's own `people`, from a summary or mail address in lower case to a user name."""

    directory: Directory
    given: Mapping[str, str]

    @classmethod
    def of(cls, directory: Directory, people: Mapping[str, str]) -> "Reader":
        return cls(directory, {_plain(words): username for words, username in people.items()})

    def meant(self, event: Event) -> Meaning:
        """By the layer's people, else by user name, mail address, or full name in the summary, else who attends."""
        parts = _parts(event.summary)
        mails = [*map(str.casefold, _MAIL.findall(event.summary)), *event.mails]
        for found in (
            self._of(self.given, [*parts, *mails]),
            self._of(self.directory.by_username, parts),
            self._of(self.directory.by_mail, _MAIL.findall(event.summary.casefold())),
            self._of(self.directory.by_name, _phrases(event.summary)),
        ):
            if found:
                return Meaning(found)
        attending = self._of(self.directory.by_mail, event.mails)
        strangers = tuple(mail for mail in event.mails if mail not in self.directory.by_mail)
        return Meaning(attending, strangers if attending else (event.summary or ", ".join(strangers) or "no summary",))

    def _of(self, known: Mapping[str, str], words: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(known[word] for word in words if word in known))


def _parts(summary: str) -> list[str]:
    """The whole of it, then what stands between commas, colons and so on."""
    return [_plain(summary), *(part for piece in _BETWEEN.split(summary) if (part := _plain(piece)))]


def _phrases(summary: str) -> list[str]:
    """Every few words that follow each other: a full name may be among them."""
    words = re.findall(r"[\w'’.-]+", _plain(summary))  # noqa: RUF001 an apostrophe of names
    return [
        " ".join(words[first:last])
        for first in range(len(words))
        for last in range(first + 2, min(first + MOST_WORDS, len(words)) + 1)
    ]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    twice = set()
    for key, username in pairs:
        if key in found:
            twice.add(key)
        found[key] = username
    return {key: username for key, username in found.items() if key and key not in twice}
