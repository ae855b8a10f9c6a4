"""Which prompts are canaries asked? Those that are shipped, or a file of the user's; the version is a hash of what is asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shadow.errors import ConfigError
from shadow.settings import Settings

SHIPPED = "v1.jsonl"


class Canary(BaseModel):
    """A line of the file. max_tokens: limit of the answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=80)
    prompt: str = Field(min_length=1)
    system: str | None = None
    max_tokens: int = Field(64, ge=1, le=4096)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canaries:
    """What is asked, and a word for it that changes with anything of it."""

    prompts: tuple[Canary, ...]
    version: str


def canaries_of(settings: Settings) -> Canaries:
    """The prompts in force. Raises: ConfigError that names file, line and what is wrong."""
    own = settings.pins.canary
    text = _shipped() if own.file is None else _read(own.file)
    prompts = read_canaries(text, source=SHIPPED if own.file is None else str(own.file))
    asked = [[prompt.model_dump() for prompt in prompts], own.temperature, own.logprobs]
    return Canaries(prompts=prompts, version=hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:12])


def read_canaries(text: str, *, source: str) -> tuple[Canary, ...]:
    """The prompts in JSON Lines. Raises: ConfigError."""
    found: list[Canary] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(Canary.model_validate_json(line))
        except ValidationError as exc:
            first = exc.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ConfigError(f"{source}, line {number}: {key + ': ' if key else ''}{first['msg']}") from None
        if found[-1].id in {canary.id for canary in found[:-1]}:
            raise ConfigError(f"{source}, line {number}: id: {found[-1].id!r} was given before")
    if not found:
        raise ConfigError(f'{source}: holds no prompt; a line is like {{"id": "sum", "prompt": "What is 17 + 26?"}}')
    return tuple(found)


@lru_cache(maxsize=1)
def _shipped() -> str:
    return (resources.files("shadow.canaries") / "prompts" / SHIPPED).read_text(encoding="utf-8")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"pins.canary.file: {path}: cannot be read: {exc}") from None
