"""The hundred services of apprise, each told by a short-lived process that reaches no internal address unallowed.

A process, since apprise's plugins have time limits of their own, follow redirects, and say no more than yes or no.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitoring.alerts.channels import apprise_process, words
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.verdicts import Outcome, Verdict, delivered, of_status, refused, retry
from monitoring.alerts.message import Message

PROGRAM = Path(apprise_process.__file__)
TYPES = {"firing": "failure", "resolved": "success"}


def send(message: Message, config: Mapping[str, Any], deadline: Deadline) -> Outcome:
    """One notification for the whole message; the process is killed when the deadline comes."""
    wishes = {
        "url": str(config["url"]),
        "title": words.title(message),
        "body": words.plain(message),
        "type": TYPES[message.status] if message.alerts else "info",
        "allow": list(config.get("allow", ())),
        "seconds": deadline.left_s,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(PROGRAM)],
            input=json.dumps(wishes).encode(),
            capture_output=True,
            timeout=deadline.left_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return retry(f"apprise was not done within {deadline.seconds:g} s.")
    return _outcome(done.stdout)


def _outcome(said: bytes) -> Outcome:
    try:
        answer = json.loads(said.splitlines()[-1])
    except (ValueError, IndexError):
        return retry("apprise ended without an answer.")
    if answer["internal"]:
        return refused(
            f"{answer['internal']} is on the inside, where apprise may not reach: "
            "add it to FLEETLEDGER_NOTIFY_ALLOW to allow it."
        )
    if answer["unknown"]:
        return refused("apprise does not know this address. Mend the receiver's url.")
    if answer["ok"]:
        return delivered(f"apprise told {answer['service']}.")
    status = answer["status"]
    if status and of_status(status) is Verdict.REFUSED:
        return refused(f"{answer['service']} refused it ({status}).", status)
    return retry(f"{answer['service']} did not take it ({status or 'no answer'}).", status)
