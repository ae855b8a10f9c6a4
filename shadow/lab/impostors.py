"""How does a provider silently put another model behind a name? Under another id, or under the same with another behaviour."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Impostor:
    """reports: the model id that answers name, None: the one that was asked. answers_as: the model that really answers."""

    reports: str | None = None
    answers_as: str | None = None


def read_impostors(body: object, models: frozenset[str]) -> dict[str, Impostor]:
    """`{"<model>": {"reports"?, "answers_as"?}}`; models that are not named are themselves again. Raises: ValueError."""
    if not isinstance(body, dict):
        raise ValueError("impostors must be an object: model -> {reports, answers_as}")
    found = {}
    for model, entry in body.items():
        if model not in models:
            raise ValueError(f"unknown model {model}; known: {', '.join(sorted(models))}")
        if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
            raise ValueError(f"{model}: must be an object of texts")
        if unknown := entry.keys() - {"reports", "answers_as"}:
            raise ValueError(f"{model}: unknown key {sorted(unknown)[0]}")
        if entry.get("answers_as", model) not in models:
            raise ValueError(
                f"{model}: answers_as: unknown model {entry['answers_as']}; known: {', '.join(sorted(models))}"
            )
        found[model] = Impostor(**entry)
    return found
