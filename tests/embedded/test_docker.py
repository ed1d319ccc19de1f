"""The files of docker/ refer to what exists and give away no rights."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "beat", "notifier")


def test_the_services_are_the_product_on_real_servers() -> None:
    assert sorted(SERVICES) == sorted(["postgres", "redis", "prometheus", *OURS])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_has_a_read_only_root_and_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("on-failure" if name == "migrate" else "unless-stopped")
    assert "privileged" not in service
    assert "healthcheck" in service


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_names_is_there(name: str) -> None:
    service = SERVICES[name]
    networks, volumes = set(service["networks"]), [volume.partition(":")[0] for volume in service["volumes"]]
    assert networks <= set(COMPOSE["networks"])
    assert [
        volume for volume in volumes if volume not in COMPOSE["volumes"] and not (ROOT / "docker" / volume).exists()
    ] == []
    assert set(service.get("depends_on", {})) <= set(SERVICES)


def test_only_the_web_part_is_reachable_from_outside_and_only_from_this_machine() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["${FLEETLEDGER_LISTEN:-127.0.0.1:8000}:8000"]
    }
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", OURS)
def test_each_part_is_a_command_of_the_product(name: str) -> None:
    command = SERVICES[name]["command"][0]
    commands = ROOT / "platform/fleetledger/fleet/management/commands"
    assert command in {"web", "worker", "beat", "notifier"} or (commands / f"{command}.py").is_file()


def test_every_variable_without_a_default_is_in_the_example() -> None:
    text = (ROOT / "docker/compose.yaml").read_text()
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    example = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert used == example


def test_no_secret_has_a_value_in_a_file() -> None:
    example = (ROOT / ".env.example").read_text()
    assert [re.findall(rf"^{name}=(.*)$", example, re.MULTILINE) for name in ("SECRET_KEY", "POSTGRES_PASSWORD")] == [
        [""]
    ] * 2


def test_the_image_copies_what_exists_and_runs_without_rights() -> None:
    lines = (ROOT / "docker/Dockerfile").read_text().splitlines()
    copied = [
        word for line in lines if re.match(r"COPY (?!--from)", line) for word in line.split()[1:-1] if word[0] != "-"
    ]
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert "USER 10001:10001" in lines
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert [path for path in copied if f"!{path}" not in ignored] == []


def test_the_entry_point_is_a_shell_script_that_parses() -> None:
    script = ROOT / "docker/entrypoint.sh"
    assert subprocess.run(["/bin/sh", "-n", str(script)], check=False).returncode == 0
    assert script.stat().st_mode & 0o111


def test_prometheus_scrapes_us_by_our_name() -> None:
    jobs = yaml.safe_load((ROOT / "docker/prometheus.yml").read_text())["scrape_configs"]
    assert jobs[0]["static_configs"] == [{"targets": ["web:8000"]}]
