"""Says what a file does not name and applying it therefore leaves alone."""

from collections.abc import Collection

from fleetledger.fleet.config.plan import Plan

SHOWN = 5


def kept(plan: Plan, things: str, names: Collection[str]) -> None:
    """A note about what stays; `things` is the plural, as the section is called."""
    if names:
        shown = ", ".join(sorted(names)[:SHOWN]) + (" …" if len(names) > SHOWN else "")
        plan.note(f"Not named in the file, so left as it is: {len(names)} of {things} ({shown}).")
