"""Runs the `fleetledger` command as `python -m fleetledger`."""

import sys

from fleetledger.cli import main

if __name__ == "__main__":
    sys.exit(main())
