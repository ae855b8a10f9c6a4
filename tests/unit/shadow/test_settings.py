"""A wrong configuration is one clear line that names the key; the environment wins over the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from shadow.errors import ConfigError
from shadow.settings import load

FREE = {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0}
GOOD: dict[str, Any] = {
    "providers": {"lab": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}},
    "tiers": [
        {"name": "fast", "models": [{"provider": "lab", "model": "small", "price": FREE}]},
        {"name": "top", "models": [{"provider": "lab", "model": "large", "price": FREE}]},
    ],
    "routing": {"thresholds": {"fast": 0.8}},
}


def written(path: Path, **changes: Any) -> Path:
    file = path / "shadow.yaml"
    file.write_text(yaml.safe_dump({**GOOD, **changes}))
    return file


def test_a_good_file_loads_with_defaults(tmp_path: Path) -> None:
    settings = load(written(tmp_path), environ={})
    assert settings.tier_names == ("fast", "top")
    assert settings.sampling.up == 0.05
    assert settings.rates.control_share == 0.10


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    environ = {
        "SHADOW__SAMPLING__UP": "0.2",
        "SHADOW__SERVER__PORT": "9001",
        "SHADOW__DATABASE__URL": "postgresql://h/d",
    }
    settings = load(written(tmp_path, sampling={"up": 0.1}), environ=environ)
    assert (settings.sampling.up, settings.server.port, settings.database.url) == (0.2, 9001, "postgresql://h/d")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sampling": {"upp": 0.1}}, ["sampling.upp", "unknown key", "`up`"]),
        ({"samplings": {}}, ["samplings", "unknown key", "`sampling`"]),
        ({"sampling": {"up": 2}}, ["sampling.up", "less than or equal to 1"]),
        ({"sampling": {"up": "lots"}}, ["sampling.up", "number"]),
        ({"sampling": {"up": 0.9, "down": 0.2}}, ["sampling", "must not exceed 1"]),
        ({"judges": {"panel": ["oracle"]}}, ["judges", "unknown judge 'oracle'", "rubric"]),
        ({"judges": {"panel": ["rubric"]}}, ["rubric", "judges.model"]),
        ({"rollup": {"bucket_seconds": 630}}, ["rollup", "divide"]),
        ({"routing": {"thresholds": {"fats": 0.8}}}, ["fats", "unknown tier"]),
        ({"tiers": []}, ["tiers"]),
        ({"providers": {"lab": {"kind": "openai"}}}, ["providers.lab.base_url", "required"]),
        (
            {"judges": {"panel": ["rubric"], "model": {"provider": "nobody", "model": "m"}}},
            ["judges.model.provider", "nobody"],
        ),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, changes: dict[str, Any], words: list[str]) -> None:
    file = written(tmp_path, **changes)
    with pytest.raises(ConfigError) as caught:
        load(file, environ={})
    assert all(word in str(caught.value) for word in [str(file), *words]), str(caught.value)


def test_a_missing_file_says_where_to_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file.*example"):
        load(tmp_path / "nowhere.yaml", environ={})


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "shadow.yaml"
    file.write_text("tiers:\n  - name: [fast\nrouting: }")
    with pytest.raises(ConfigError, match="line 3"):
        load(file, environ={})


def test_a_list_is_not_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "shadow.yaml"
    file.write_text("- a\n")
    with pytest.raises(ConfigError, match="mapping"):
        load(file, environ={})


def test_an_override_into_a_scalar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SHADOW__DATA_DIR__X"):
        load(written(tmp_path, data_dir="x"), environ={"SHADOW__DATA_DIR__X": "1"})
