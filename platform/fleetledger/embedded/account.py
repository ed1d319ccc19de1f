"""Chooses the account that PostgreSQL runs under when root starts it, since PostgreSQL refuses root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from fleetledger.embedded.errors import NoAccountError
from fleetledger.embedded.state import is_root

CANDIDATES = ("postgres", "nobody", "daemon")  # existing ones: initdb refuses a uid without a passwd entry


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a server runs as."""

    name: str
    uid: int
    gid: int

    @property
    def owner(self) -> tuple[int, int]:
        return self.uid, self.gid

    def can_enter(self, folder: Path) -> bool:
        """Whether the account may pass every directory down to this one, judged by the mode bits."""
        resolved = folder.resolve()
        return all(self._may_search(part) for part in (resolved, *resolved.parents))

    def _may_search(self, folder: Path) -> bool:
        found = folder.stat()
        if self.uid == 0:
            return True
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


def of_database(data: Path) -> Account:
    """The caller itself, or, for root, the owner of the data that is there, else the first candidate that exists."""
    if not is_root():
        return (
            _from_entry(pwd.getpwuid(os.geteuid()))
            if _is_known(os.geteuid())
            else Account("", os.geteuid(), os.getegid())
        )
    if data.exists() and data.stat().st_uid != 0:
        return _from_entry(pwd.getpwuid(data.stat().st_uid))
    for name in CANDIDATES:
        try:
            return _from_entry(pwd.getpwnam(name))
        except KeyError:
            continue
    raise NoAccountError(CANDIDATES)


def _from_entry(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid if is_root() else os.getegid())


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
