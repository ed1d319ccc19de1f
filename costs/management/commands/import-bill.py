"""import-bill --source NAME FILE...: brings the files of a bill into the ledger."""

import json
import sys
import uuid
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from costs import importing, ingest
from costs.errors import CostsError
from costs.models import DeliveryMode


class Command(BaseCommand):
    help = "Import FOCUS CSV files (plain or .gz). Files given together are one snapshot of the bill."

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

    def handle(self, *_args: Any, **options: Any) -> None:
        batch = uuid.uuid4()
        results: list[dict[str, Any]] = []
        for name in options["files"]:
            results.append(self._one(Path(name), batch, options))
            if not options["json"] and results[-1]["state"] != "refused":
                self.stdout.write(results[-1]["sentence"])
        if options["json"]:
            self.stdout.write(json.dumps({"results": results}, indent=2))
        refused = [result["sentence"] for result in results if result["state"] == "refused"]
        if refused:
            raise CommandError("\n".join(refused))

    def _one(self, path: Path, batch: uuid.UUID, options: dict[str, Any]) -> dict[str, Any]:
        try:
            with path.open("rb") as stream:
                received = ingest.receive(options["source"], path.name, stream, mode=options["mode"], batch=batch)
            done = ingest.import_delivery(received.delivery_id, on_progress=self._progress(path.name))
        except OSError as error:
            return _refused(path.name, f"{path}: {error.strerror}. Name a file that this user can read.")
        except CostsError as error:
            return _refused(path.name, str(error))
        if sys.stderr.isatty():
            self.stderr.write("")
        if done.state == "refused":
            return _refused(path.name, done.error)
        return {
            "file": path.name,
            "delivery": done.delivery_id,
            "state": done.state,
            "rows": done.row_count,
            "quarantined": done.quarantined_count,
            "known": done.is_known,
            "sentence": importing.sentence(done),
        }

    def _progress(self, name: str) -> ingest.Progress:
        def show(done: int, total: int) -> None:
            if sys.stderr.isatty():
                self.stderr.write(f"\r{name}: line {done} of {total}", ending="")

        return show


def _refused(name: str, sentence: str) -> dict[str, Any]:
    return {"file": name, "state": "refused", "rows": 0, "quarantined": 0, "known": False, "sentence": sentence}
