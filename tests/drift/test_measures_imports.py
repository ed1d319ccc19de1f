"""What the web part imports of measures and findings does not load scipy: its memory is for workers."""

import subprocess
import sys

PROGRAM = """
import sys
import drift.findings.native, drift.findings.imported, drift.findings.tracking, drift.findings.concept
import drift.measures.compatible.scoring, drift.measures.robust.scoring, drift.measures.domain.classifier
import drift.measures.labels.performance, drift.measures.labels.estimates
print(sorted({name.split(".")[0] for name in sys.modules} & {"scipy", "pandas", "sklearn", "evidently"}))
"""


def test_importing_measures_and_findings_loads_no_scipy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env={"PYTHONPATH": ".:platform"}
    )
    assert done.stdout.strip() == "[]"
