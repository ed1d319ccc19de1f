"""import-bill --source NAME FILE...: brings the files of a bill into the ledger."""

import sys
import uuid
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from costs import importing, ingest
from costs.errors import CostsError
from costs.models import DeliveryMode
from fleetledger.fleet.commands import SentenceCommand, as_json


class Command(SentenceCommand):
    help = "Import FOCUS CSV files (plain or .gz). Files given together are one snapshot of the bill."
    refusals = (CostsError,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", required=True, help="name of a source of kind bill")
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument(
            "--mode",
            choices=DeliveryMode.values,
            default=DeliveryMode.OVERWRITE.value,
            help="overwrite: the files replace what was imported for their periods; append: they add to it",
        )
        parser.add_argument("--json", action="store_true", help="results as JSON on stdout")

    def act(self, options: dict[str, Any]) -> str:
        """All files are tried; one that is refused makes the command fail after the others are in."""
        batch = uuid.uuid4()
        results = [self._one(Path(name), batch, options) for name in options["files"]]
        done = [result["sentence"] for result in results if result["state"] != "refused"]
        refused = [result["sentence"] for result in results if result["state"] == "refused"]
        text = as_json({"results": results}) if options["json"] else "\n".join(done)
        if refused:
            if text:
                self.stdout.write(text)
            raise CommandError("\n".join(refused))
        return text

    def _one(self, path: Path, batch: uuid.UUID, options: dict[str, Any]) -> dict[str, Any]:
        try:
            with path.open("rb") as stream:
                received = ingest.receive(options["source"], path.name, stream, mode=options["mode"], batch=batch)
            done = ingest.import_delivery(received.delivery_id, on_progress=self._progress(path.name))
        except OSError as error:
            return _refused(path.name, f"{path}: {error.strerror}. Name a file that this user can read.")
        except CostsError as error:
            return _refused(path.name, str(error))
        if done.state == "refused":
            return _refused(path.name, done.error)
        return {
            "file": path.name,
            "delivery": done.delivery_id,
            "state": str(done.state),
            "rows": done.row_count,
            "quarantined": done.quarantined_count,
            "known": done.is_known,
            "sentence": importing.sentence(done),
        }

    def _progress(self, name: str) -> ingest.Progress:
        def show(done: int, total: int) -> None:
            if sys.stderr.isatty():
                self.stderr.write(f"\r{name}: line {done} of {total}", ending="\n" if done >= total else "")

        return show


def _refused(name: str, sentence: str) -> dict[str, Any]:
    return {"file": name, "state": "refused", "rows": 0, "quarantined": 0, "known": False, "sentence": sentence}
