"""Says where everything that outlives a process is kept: the state directory."""

import hashlib
import os
import pwd
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from fleetledger.embedded.errors import StateDirNotOursError, StateDirUnusableError

LONGEST_SOCKET_DIR_BYTES = 90  # the kernel takes 107 for the whole path of a socket
PASS_THROUGH = stat.S_IXGRP | stat.S_IXOTH
SHORT_PLACE = Path("/tmp")  # noqa: S108 not TMPDIR: every command has to find the same one; what is in it is checked for its owner


@dataclass(frozen=True, slots=True)
class StateDir:
    """The layout below one state directory; its owner alone may look into the parts."""

    root: Path

    @property
    def secret_key_file(self) -> Path:
        return self.root / "secret-key"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    def sockets(self, server: str, *, inside: bool = True) -> Path:
        """The directory of a server's socket: short enough for the kernel, wherever the state directory lies."""
        folder = self.root / "run" / server
        if inside and len(os.fsencode(folder)) <= LONGEST_SOCKET_DIR_BYTES:
            return folder
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return SHORT_PLACE / f"fleetledger-{os.geteuid()}-{digest}" / server


def resolve(state_dir: str | None) -> StateDir:
    """The state directory asked for, else FLEETLEDGER_STATE_DIR, else the usual place for root or for a user."""
    chosen = state_dir or os.environ.get("FLEETLEDGER_STATE_DIR")
    return StateDir(Path(chosen).expanduser().resolve() if chosen else _usual_place())


def prepare(state: StateDir) -> None:
    """Make the layout, or refuse a directory that belongs to somebody else."""
    try:
        if not state.root.exists():
            passable_directory(state.root)
        found = state.root.stat()
        if found.st_uid != os.geteuid():
            raise StateDirNotOursError(state.root, account_name(found.st_uid))
        if is_root() and found.st_mode & PASS_THROUGH != PASS_THROUGH:
            state.root.chmod(stat.S_IMODE(found.st_mode) | PASS_THROUGH)  # PostgreSQL's account has to pass through
        for folder in (state.locks, state.logs, state.redis):
            private_directory(folder)
    except OSError as error:
        raise StateDirUnusableError(state.root, error.strerror or str(error)) from error


def passable_directory(folder: Path) -> None:
    """A directory that a user keeps to itself, and that root lets the database's account pass, whatever the umask."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711 if is_root() else 0o700)


def private_directory(folder: Path, owner: tuple[int, int] | None = None) -> None:
    """A directory that its owner alone can enter; what lies above it can be passed through as far as we made it."""
    if not folder.parent.exists():
        passable_directory(folder.parent)
    if folder.parent.lstat().st_uid != os.geteuid():
        raise StateDirNotOursError(folder.parent, account_name(folder.parent.lstat().st_uid))
    folder.mkdir(mode=0o700, exist_ok=True)
    uid, gid = owner or (os.geteuid(), os.getegid())
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {uid, os.geteuid()}:
        raise StateDirNotOursError(folder, account_name(found.st_uid))
    if is_root() and (found.st_uid, found.st_gid) != (uid, gid):
        os.chown(folder, uid, gid)
    if stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
        folder.chmod(0o700)


def secret_key(state: StateDir) -> str:
    """The installation's key, made once; two first starts at the same moment agree on one."""
    path = state.secret_key_file
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(48), replace=False)
    return path.read_text(encoding="ascii").strip()


def write_secret(path: Path, secret: str, *, replace: bool = True) -> None:
    """Put a secret into a file that its owner alone can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        if replace:
            draft.rename(path)
        else:
            os.link(draft, path)
    except FileExistsError:
        return  # somebody was first: theirs counts
    finally:
        draft.unlink(missing_ok=True)


def is_root() -> bool:
    return os.geteuid() == 0


def account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _usual_place() -> Path:
    if is_root():
        return Path("/var/lib/fleetledger")
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "fleetledger"
