"""How is a judge card read? The card's values as a page of Markdown; the same values always give the same page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Card = Mapping[str, Any]

INDEX_INTRO = """# Judge cards

What each judge sees and does not see, how well it agrees with people on public sets of labelled answers, how long it takes, and
where it is known to err. Written by `make judge-cards DATA=<directory>` from files of pairs in the format of `shadow judge`; the
same values are in the package: `judges.card.judge_card("structured")`.

| judge | version | question | AUROC, by part | coverage, by part | cost |
|---|---|---|---|---|---|
"""

EXPLAINED = """## How the figures are made
- **AUROC** is on all pairs; where the judge abstained, the base rate stands for its score. **Length alone** is the AUROC of the
  length of the answer, in the direction that is better on these very pairs, which flatters it; **gain** is the difference,
  resampled together.
- **Coverage** is the share of pairs with a verdict; **kappa** and **agreement** are with the label, on those only.
- **Calibration error** is the expected one over ten bins. Probabilities are cross-fitted: calibrated on one half of the
  questions, measured on the other. The calibration that is shipped was fitted on other data as well: see `judges/calibrations/`.
- Intervals are at 95 %: bootstrap of whole questions (`meta.group`), Wilson for coverage. A dash: not defined on these pairs.
- Times are of one thread on generated answers; they are the only figures here that differ from run to run.
"""


def page(card: Card) -> str:
    """The page of one judge."""
    parts = [f"# {card['judge']}", "", f"*{card['question']}*", ""]
    parts += _list("It sees", card["sees"]) + _list("It does not see", card["does_not_see"])
    parts += [f"**Cost**: {card['cost']}.", ""]
    parts += _list("Not measured for this card", card["not_measured"])
    parts += _blind_spots(card["blind_spots"])
    parts += _quality(card["quality"])
    parts += _engines(card["engines"])
    parts += _recorded(card["recorded"])
    parts += _prompts(card["prompt_tokens"])
    parts += _timings(card["timings"])
    if card["quality"]:
        parts += [EXPLAINED]
    parts += _data(card["data"])
    return "\n".join(parts).rstrip() + "\n"


def index(cards: Sequence[Card]) -> str:
    """The page that leads to all cards."""
    lines = []
    for card in cards:
        name, _, version = card["judge"].partition("@")
        lines.append(
            f"| [{name}]({name}.md) | {version} | {card['question']} | {_span(card['quality'], 'auroc')} | "
            f"{_span(card['quality'], 'coverage')} | {card['cost']} |"
        )
    return INDEX_INTRO + "\n".join(lines) + "\n"


def _list(title: str, items: Sequence[str]) -> list[str]:
    return [f"**{title}**", "", *(f"- {item}" for item in items), ""] if items else []


def _blind_spots(spots: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "## Known blind spots",
        "",
        "Each example was put to the judge when this card was made; a test does it again.",
        "",
    ]
    for spot in spots:
        score = "" if spot["score"] is None else f" ({spot['score']:.2f})"
        human = "accept" if spot["acceptable"] else "reject"
        lines += [f"**{spot['name'].capitalize()}.** {spot['text']}", ""]
        shown = [(name, spot[name]) for name in ("prompt", "context", "answer", "reference") if spot[name] is not None]
        lines += [f"- {name}: {_code(text)}" for name, text in shown]
        lines += [f"- a careful human would {human}, the judge says **{spot['says']}**{score}", ""]
    return lines


def _quality(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    table = [
        "## Agreement with people",
        "",
        "| part | pairs (questions) | coverage | AUROC | length alone | gain over length | kappa | agreement "
        "| calibration error |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [
            row["part"],
            f"{row['pairs']:,} ({row['questions']:,})",
            *(_cell(row[name]) for name in ("coverage", "auroc")),
            f"{_cell(row['length_auroc'])} ({row['length_direction'].partition(' ')[0]})",
            *(_cell(row[name]) for name in ("gain_over_length", "kappa", "accuracy", "calibration_error")),
        ]
        table.append(f"| {' | '.join(cells)} |")
    return [*table, ""]


def _engines(engines: Mapping[str, Any] | None) -> list[str]:
    if not engines:
        return []
    first, other = engines["names"]
    same = engines["verdicts"]
    lines = [
        "## Both engines on the same pairs",
        "",
        f"Equal verdicts of {first} and {other}: {same['equal']:.3f} [{same['interval'][0]:.3f}, {same['interval'][1]:.3f}] of "
        f"{same['pairs']:,} pairs. The figures above are of {first}.",
        "",
        f"| part | pairs | AUROC, {first} | AUROC, {other} | coverage, {first} | coverage, {other} |",
        "|---|---|---|---|---|---|",
    ]
    for one, two in zip(engines["quality"][first], engines["quality"][other], strict=True):
        cells = [_cell(row[name]) for name in ("auroc", "coverage") for row in (one, two)]
        lines.append(f"| {one['part']} | {one['pairs']:,} | {' | '.join(cells)} |")
    return [*lines, ""]


def _recorded(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = [
        "## Recorded verdicts of language models",
        "",
        "Not of this judge: other people's prompts, put to other models, read by `judges/parsers/`. They show what agreement and "
        "what order effects to expect of a model that is asked.",
        "",
        "| recorded judge | texts (prompts) | read | agrees with people | kappa | order consistency | position bias |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        names = ("parsed", "human_agreement", "kappa", "order_consistency", "position_bias")
        cells = [_cell(row[name]) for name in names]
        lines.append(f"| {row['judge']} | {row['texts']:,} ({row['prompts']:,}) | {' | '.join(cells)} |")
    return [*lines, ""]


def _prompts(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    said = ", ".join(f"{row['tokens']:,} tokens with answers of {row['words']} words" for row in rows)
    return ["## What a call sends", "", f"About {said}, at four characters a token.", ""]


def _timings(found: Mapping[str, Any]) -> list[str]:
    lines = [
        "## Time",
        "",
        "| engine | words of an answer | p50, ms a pair | p95, ms | pairs a second, in batches |",
        "|---|---|---|---|---|",
    ]
    for engine, rows in found["engines"].items():
        for row in rows:
            cells = (
                engine or "-",
                str(row["words"]),
                *(f"{row[n]:g}" for n in ("p50_ms", "p95_ms", "pairs_per_second")),
            )
            lines.append(f"| {' | '.join(cells)} |")
    note = "With a scripted model that answers at once: the judge's own time." if found["scripted"] else ""
    return [*lines, "", *([note, ""] if note else [])]


def _data(data: Mapping[str, Any]) -> list[str]:
    if not data["files"]:
        return []
    lines = ["## Data", ""]
    if data["parts"]:
        lines += ["| part | file | labels | rows | acceptable |", "|---|---|---|---|---|"]
    lines += [
        f"| {part['part']} | {part['file']} | {part['labels']} | {part['selection']} | {part['acceptable']:.3f} |"
        for part in data["parts"]
    ]
    lines += [
        *([""] if data["parts"] else []),
        "| file | rows | labelled | unreadable | SHA-256 |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {file['file']} | {file['rows']:,} | {file['labelled']:,} | {file['bad_lines']} | `{file['sha256']}` |"
        for file in data["files"]
    ]
    return lines


def _cell(figure: Mapping[str, float | None]) -> str:
    value, low, high = (figure[name] for name in ("value", "low", "high"))
    if value is None:
        return "-"
    return f"{value:.3f}" + ("" if low is None or high is None else f" [{low:.3f}, {high:.3f}]")


def _span(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    values = [row[name]["value"] for row in rows if row[name]["value"] is not None]
    return " to ".join(f"{value:.3f}" for value in sorted({min(values), max(values)})) if values else "not measured"


def _code(text: str) -> str:
    """Text as it is, on one line."""
    shown = " ".join(text.split())
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"
