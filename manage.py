"""Runs Fleetledger's commands from a checkout."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> int:
    """Put the checkout's two package roots on the path, then hand over to the `fleetledger` command."""
    for folder in (ROOT / "platform", ROOT):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    from fleetledger.cli import main as run

    return run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
