"""Do all modules keep the habits that no linter checks?"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_LINES = 350
FORBIDDEN_NAMES = {"common", "utils", "util", "helpers", "base", "manager", "misc"}
OURS = sorted(path for folder in ("router", "judges", "shadow", "alembic") for path in (ROOT / folder).rglob("*.py"))
ALL = [*OURS, *sorted((ROOT / "tests").rglob("*.py"))]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def swallowed(tree: ast.AST) -> list[int]:
    """Lines of handlers that do nothing: `except …: pass` and its disguise `…`."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and all(_does_nothing(statement) for statement in node.body)
    ]


def _does_nothing(statement: ast.stmt) -> bool:
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or constant


@pytest.mark.parametrize("path", OURS, ids=name)
def test_a_module_is_short_enough_to_be_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_LINES


@pytest.mark.parametrize("path", ALL, ids=name)
def test_a_module_says_which_question_it_answers(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring
    assert len(docstring) > 20


@pytest.mark.parametrize("path", ALL, ids=name)
def test_no_error_is_swallowed(path: Path) -> None:
    assert swallowed(ast.parse(path.read_text(encoding="utf-8"))) == []


def test_a_swallowed_error_would_be_found() -> None:
    assert swallowed(ast.parse("try:\n    x = 1\nexcept ValueError:\n    pass\n")) == [3]
    assert swallowed(ast.parse("try:\n    x = 1\nexcept ValueError:\n    ...\n")) == [3]
    assert swallowed(ast.parse("try:\n    x = 1\nexcept ValueError:\n    x = 2\n")) == []


def test_no_module_is_a_drawer_for_everything() -> None:
    assert [name(path) for path in OURS if {path.stem, *path.relative_to(ROOT).parts[:-1]} & FORBIDDEN_NAMES] == []


def test_nothing_is_left_for_later() -> None:
    here = Path(__file__)
    words = ("TODO", "FIXME", "XXX", "NotImplementedError", "pytest.mark.skip", "pytest.mark.xfail", "pytest.skip(")
    found = [
        (name(path), word) for path in ALL if path != here for word in words if word in path.read_text(encoding="utf-8")
    ]
    assert found == []


@pytest.mark.parametrize("folder", ["integration", "e2e"])
def test_tests_with_real_servers_are_marked_slow(folder: str) -> None:
    unmarked = [
        name(path)
        for path in (ROOT / "tests" / folder).rglob("test_*.py")
        if "pytest.mark.slow" not in path.read_text(encoding="utf-8")
    ]
    assert unmarked == []
