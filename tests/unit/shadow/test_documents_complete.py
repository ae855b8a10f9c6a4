"""Nothing that the project depends on or decided is missing from the documents, and nothing is listed that is gone."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
GROUPS = {"Core": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}


def dependency_rows() -> dict[str, list[str]]:
    """Package -> the cells of its row."""
    lines = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows if row[0] != "package"}


def required() -> set[str]:
    return {re.split(r"[\[<>=!~; ]", requirement)[0] for group in GROUPS.values() for requirement in group}


def test_every_dependency_is_listed_and_nothing_else() -> None:
    assert set(dependency_rows()) == required()


@pytest.mark.parametrize("name", sorted(dependency_rows()))
def test_a_dependency_has_a_reason_a_licence_and_a_version(name: str) -> None:
    reason, licence, seen = dependency_rows()[name]
    assert reason
    assert re.search(r"Apache|MIT|BSD|MPL|LGPL", licence)
    assert re.match(r"\d", seen)


def test_every_decision_is_listed_and_has_its_three_parts() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    assert [path.name[:4] for path in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    index = (folder / "README.md").read_text(encoding="utf-8")
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == ["Context", "Decision", "Consequences"], page.name
        assert f"({page.name})" in index
        assert len(text.splitlines()) <= 60, f"{page.name} is longer than a page"


def test_what_is_unreleased_is_in_the_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text
    assert re.search(r"^### Added\n- ", text, flags=re.MULTILINE)


def test_the_readme_is_readable_in_a_terminal() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 140 and not line.startswith("![")] == []


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "images").glob("*.png"))
    assert pictures
    assert [path.name for path in pictures if path.stat().st_size > 300 * 1024] == []
