"""Documents as they were agreed: compared letter by letter, written anew with FLEETLEDGER_SNAPSHOTS=write."""

import os
import re
from pathlib import Path

FOLDER = Path(__file__).parent / "snapshots"
_HASH = re.compile(r"\b[0-9a-f]{64}\b")


def match(name: str, text: str) -> None:
    """`text` is the snapshot `name`; hashes are left out, since they follow the rows' ids."""
    shown = _HASH.sub("<hash>", text.replace("\r\n", "\n"))
    file = FOLDER / name
    if os.environ.get("FLEETLEDGER_SNAPSHOTS") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown)
    assert shown == file.read_text(), f"{name} reads differently. If that is meant: FLEETLEDGER_SNAPSHOTS=write."
