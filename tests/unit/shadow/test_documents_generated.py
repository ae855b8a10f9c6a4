"""The generated pages say what the code says, no key is unexplained, and the example configuration is a good one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, Field

from router.pool import build_pool
from shadow.cli.main import COMMANDS
from shadow.documents import commands, configuration, generate
from shadow.judging.panels import panels_of
from shadow.settings import Settings, load

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "docs" / "shadow.example.yaml"
KEYS = {"OPENAI_API_KEY": "a", "GROQ_API_KEY": "b", "ANTHROPIC_API_KEY": "c"}
ALL_KEYS = [key for section in configuration.sections() for key in section.keys]


@pytest.mark.parametrize("name", sorted(generate.pages()))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == generate.pages()[name], "run `make docs`"


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.path)
def test_every_key_is_explained(key: configuration.Key) -> None:
    assert key.description.endswith("."), f"{key.path} needs a description that is a sentence"


def test_keys_at_every_depth_are_listed() -> None:
    paths = {key.path for key in ALL_KEYS}
    assert {"data_dir", "sampling.up", "judges.model.provider", "tiers[].models[].price.cached_usd_per_mtok"} <= paths
    assert {"providers.<name>.base_url", "routing.rules[].when.min_context_tokens"} <= paths


def test_the_page_shows_types_ranges_and_defaults_as_one_would_write_them() -> None:
    page = configuration.page()
    assert "| `sampling.up` | number, from 0 to 1 | `0.05` |" in page
    assert "| `routing.rules[].when.max_words` | whole number, from 0, or null | `null` |" in page
    assert "| `server.port` | whole number, from 1 to 65,535 | `8080` |" in page
    assert "| `sampling.store_text` | `full` \\| `redacted` \\| `none` | `full` |" in page
    assert "| `providers.<name>.base_url` | text | *required* |" in page


def test_a_key_without_a_description_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bare(BaseModel):
        """A section."""

        silent: int = Field(1)

    monkeypatch.setattr(configuration, "Settings", Bare)
    assert [key.description for section in configuration.sections() for key in section.keys] == [""]


def test_writing_changes_only_what_is_out_of_date(tmp_path: Path) -> None:
    assert generate.outdated(tmp_path) == sorted(generate.pages(), reverse=True)
    generate.write(tmp_path)
    assert generate.outdated(tmp_path) == []
    (tmp_path / "docs" / "cli.md").write_text("old")
    assert generate.write(tmp_path) == ["docs/cli.md"]


def test_every_command_has_its_help_on_the_page() -> None:
    names = [name for name, _ in commands.helps()]
    assert set(names) >= {
        "shadow",
        *(f"shadow {name}" for name in COMMANDS),
        "shadow db upgrade",
        "shadow grafana check",
    }


def test_the_example_loads_and_every_model_has_a_price() -> None:
    settings = load(EXAMPLE, environ={})
    assert settings.tier_names == ("fast", "mid", "frontier")
    pool = build_pool(settings, KEYS)
    prices = {target.model: target.price for chain in pool.chains.values() for target in chain}
    assert all(price.rates.input_usd > 0 and price.rates.output_usd > 0 for price in prices.values())
    assert panels_of(settings, KEYS).paid is not None


def test_the_example_shows_every_section() -> None:
    shown: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    assert set(Settings.model_fields) - set(shown) <= {"tuning"}


def test_the_example_carries_no_key() -> None:
    assert not [line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if "sk-" in line or "gsk_" in line]
