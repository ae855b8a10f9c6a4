"""Is what gets installed what we mean: our packages, the libraries we named, and no torch in the core?"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HEAVY = {"torch", "sentence-transformers", "transformers", "scikit-learn", "triton", "onnxruntime"}


def constraints() -> dict[str, SpecifierSet]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement.specifier for requirement in wanted}


def closure(requirements: list[str]) -> set[str]:
    """All distributions that these requirements bring, by the metadata of what is installed."""
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in importlib.metadata.requires(name) or []:
                inner = Requirement(text)
                if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                    waiting.append(inner)
    return {name for name, _ in seen}


def core_requirements() -> list[str]:
    named = [Requirement(text) for text in PROJECT["dependencies"]]
    return [str(requirement) for requirement in named if requirement.marker is None or requirement.marker.evaluate()]


@pytest.mark.parametrize("package", ["router", "judges", "shadow"])
def test_our_own_packages_are_the_ones_imported(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert Path(str(spec.origin)) == ROOT / package / "__init__.py"


@pytest.mark.parametrize("namesake", ["router", "judges", "shadow"])
def test_no_namesake_from_the_public_index_is_installed(namesake: str) -> None:
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.distribution(namesake)
    assert not list(constraints()[namesake].filter(["0.0.1", "0.1", "1.0", "2026.1"]))


def test_alembic_is_the_library() -> None:
    alembic = importlib.import_module("alembic")
    assert Path(str(alembic.__file__)).parent.parent.name == "site-packages"
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_tests_are_no_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_the_core_brings_no_torch() -> None:
    core = closure(core_requirements())
    assert "sqlalchemy" in core
    assert core & HEAVY == set()
    assert not [name for name in core if name.startswith("nvidia")]


def test_the_judges_extra_brings_the_one_torch_that_is_pinned() -> None:
    assert "torch" in closure(PROJECT["optional-dependencies"]["judges"])
    assert "torch==2.13.0" in PROJECT["optional-dependencies"]["judges"]
    assert not [dist for dist in importlib.metadata.distributions() if (dist.name or "").startswith("nvidia-")]


def test_every_dependency_has_a_pinned_version() -> None:
    pinned = {name for name, specifier in constraints().items() if str(specifier).startswith("==")}
    everything = closure(
        [*core_requirements(), *PROJECT["optional-dependencies"]["judges"], *PROJECT["optional-dependencies"]["dev"]]
    )
    assert everything - pinned - {"pip"} == set()


def test_the_pins_name_no_local_build_and_satisfy_what_we_ask_for() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert re.findall(r"^(?!#).*(?:\+cpu|\+cu|@|file:).*$", text, re.MULTILINE) == []
    extras = PROJECT["optional-dependencies"].values()
    asked = [Requirement(text) for text in [*PROJECT["dependencies"], *(item for extra in extras for item in extra)]]
    pins = constraints()
    for requirement in asked:
        pin = str(pins[canonicalize_name(requirement.name)]).removeprefix("==")
        assert requirement.specifier.contains(pin, prereleases=True), requirement


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(target), str(ROOT)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = target.glob("shadowtier-*.whl")
    return zipfile.ZipFile(wheel).namelist()


@pytest.mark.slow
def test_the_wheel_carries_the_migrations_and_never_as_alembic(wheel_names: list[str]) -> None:
    assert "shadow/_migrations/env.py" in wheel_names
    assert [name for name in wheel_names if re.fullmatch(r"shadow/_migrations/versions/\w+\.py", name)]
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"router", "judges", "shadow"}


@pytest.mark.slow
def test_the_wheel_carries_every_module_and_every_data_file(wheel_names: list[str]) -> None:
    for package in ("router", "judges", "shadow"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in wheel_names
    assert not [name for name in wheel_names if name.endswith(".pyc")]
