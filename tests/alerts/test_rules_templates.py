"""Templates of labels and annotations are rendered as Prometheus renders them, and what we cannot render is refused."""

import subprocess
from pathlib import Path

import pytest
import yaml

from monitoring.alerts.rules import pack, templates
from monitoring.alerts.rules.errors import TemplateError
from tests import prometheus

VALUES = (
    "1000000", "123456789.5", "0.00001", "1e22", "0.0001234567", "0", "NaN", "Inf", "-Inf", "0.0123456", "1234.5",
    "999999", "59.999", "-90061.5", "86400", "3661", "0.5", "-0.25", "1e-9", "95", "0.98765", "1048576",
)  # fmt: skip
SHORT = (
    "{{ $value }}", "{{.Value}}", "{{ $value | humanize }}", "{{ humanize $value }}", "{{ humanizePercentage $value }}",
    "{{ $value | humanizePercentage }}", '{{ $value | printf "%.2f" }}', '{{ printf "%.0f%% of \\"all\\"" $value }}',
    '{{ printf "%g" $value }}', '{{ printf "%.3e" $value }}', '{{ printf "%.3g" $value }}', "{{ $labels.gpu }}",
    "a {{ $labels.gpu }}{{ $labels.nothing }} b }} {{ .Labels.gpu }}", "no action",
)  # fmt: skip
DURATIONS = ("{{ $value | humanizeDuration }}", "{{ humanizeDuration $value }}")


@pytest.mark.parametrize(
    ("texts", "values"), [(SHORT, VALUES), (DURATIONS, [value for value in VALUES if value != "1e22"])]
)
def test_texts_are_those_of_prometheus(tmp_path: Path, texts: tuple[str, ...], values: tuple[str, ...]) -> None:
    """Promtool compares what it renders with what we rendered; it overflows where a duration has no meaning."""
    annotations = {f"a{number}": text for number, text in enumerate(texts)}
    rule = {"alert": "A", "expr": "v", "annotations": annotations}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
    expected = [
        {
            "exp_labels": {"gpu": str(number)},
            "exp_annotations": {
                name: templates.parse(text).render({"gpu": str(number)}, float(value))
                for name, text in annotations.items()
            },
        }
        for number, value in enumerate(values)
    ]
    test = {
        "interval": "1m",
        "input_series": [{"series": f'v{{gpu="{n}"}}', "values": value} for n, value in enumerate(values)],
        "alert_rule_test": [{"eval_time": "0m", "alertname": "A", "exp_alerts": expected}],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [test]}))
    done = subprocess.run(
        [prometheus.PROMTOOL, "test", "rules", str(tmp_path / "test.yml")], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr + done.stdout) == (0, done.stderr + done.stdout)


@pytest.mark.parametrize(
    "text",
    [
        '{{ query "up" }}', "{{ range $x := .Labels }}", "{{ $labels }}", "{{ $value | title }}",
        "{{ $labels.a | toUpper }}", "{{ $value | humanize | toUpper }}", '{{ $value | printf "%d" }}',
        '{{ printf "%.2f %.2f" $value }}', "{{ $value", "{{- $value -}}", "{{}}", "{{ $externalURL }}",
    ],
)  # fmt: skip
def test_what_we_cannot_render_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(TemplateError) as caught:
        templates.parse(text)
    assert "cannot be rendered. Write {{ $labels.NAME }}, {{ $value }}" in str(caught.value)


def test_every_text_of_our_packs_can_be_rendered() -> None:
    for name in pack.NAMES:
        for rule in pack.rules(name):
            for text in (*rule.labels.values(), *rule.annotations.values()):
                assert "{{" not in templates.parse(text).render({}, 1.0)
