"""What granian serves: the product's WSGI application, in a process that does not outlive granian's own."""

import ctypes
import importlib
import multiprocessing
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Granian's worker would go on serving after a SIGKILL of granian."""
    parent = multiprocessing.parent_process()
    if parent is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent.pid:
        sys.exit(1)


_die_with_parent()
os.environ.setdefault("FLEETLEDGER_DB_POOL", "1")  # its threads share connections: opening one costs more than a page
application = importlib.import_module("fleetledger.wsgi").application  # by name: this package knows nothing of Django
