"""The house stands as drawn: no package hides the standard library, and the rooms are where they belong."""

import platform
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_platform_is_the_standard_librarys() -> None:
    assert Path(platform.__file__).is_relative_to(sysconfig.get_paths()["stdlib"])
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_the_ignore_list_keeps_the_platform_package_out() -> None:
    assert "/platform/__init__.py" in (ROOT / ".gitignore").read_text().splitlines()


def test_templates_are_found_in_a_checkout() -> None:
    from fleetledger import paths

    assert paths.templates() == ROOT / "templates"


def test_templates_use_no_inline_style_or_script() -> None:
    offenders = [
        page.relative_to(ROOT).as_posix()
        for page in (ROOT / "templates").rglob("*.html")
        if 'style="' in (text := page.read_text()) or "<script>" in text or "|safe" in text or "onclick=" in text
    ]
    assert offenders == []


def test_every_file_opens_with_a_sentence() -> None:
    roots = [ROOT / "platform", ROOT / "monitoring", ROOT / "costs", ROOT / "drift"]
    silent = [
        file.relative_to(ROOT).as_posix()
        for root in roots
        for file in root.rglob("*.py")
        if file.name != "__init__.py"
        and "migrations" not in file.parts
        and not file.read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""'))
    ]
    assert silent == []


def test_no_file_is_one_to_fear() -> None:
    roots = [ROOT / "platform", ROOT / "monitoring", ROOT / "costs", ROOT / "drift", ROOT / "tests"]
    long = {
        file.relative_to(ROOT).as_posix(): lines
        for root in roots
        for file in root.rglob("*.py")
        if "migrations" not in file.parts and (lines := len(file.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert long == {}
