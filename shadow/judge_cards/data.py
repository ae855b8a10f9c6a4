"""On which pairs are judges measured? The labelled pairs of a directory, in parts by data set and answering model."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shadow.errors import ConfigError
from shadow.json_lines import BadLine
from shadow.judging.pair_file import Pair, lookup, read_pairs

PAIRS = ("pairs*.jsonl", "pairs*.jsonl.gz")
JUDGEMENTS = ("judgements*.jsonl", "judgements*.jsonl.gz")
#: A model's answers are a part of their own where so many are labelled, and there are no more models than this.
MODEL_ROWS, MOST_MODELS = 200, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file: where the rows come from. sha256: of the file as it is."""

    file: str
    sha256: str
    rows: int
    labelled: int
    bad_lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Labelled pairs that are measured together. note: what of the data set was left out; available: how many there are."""

    name: str
    file: str
    label_source: str
    note: str
    available: int
    pairs: tuple[Pair, ...]

    @property
    def selection(self) -> str:
        """In words, how the pairs were chosen from their file."""
        if len(self.pairs) == self.available:
            return f"{self.note}all"
        return f"{self.note}{len(self.pairs):,} of {self.available:,}, whole questions by a hash"

    def at_most(self, most: int) -> Part:
        """The same part with fewer pairs."""
        return dataclasses.replace(self, pairs=tuple(sample(self.pairs, most)))


def load_parts(directory: Path, *, most: int) -> tuple[list[Source], list[Part]]:
    """All parts, at most so many pairs each, whole questions by a hash, so that every run takes the same.

    Rows of a data set with `meta.length_matched` are taken only where it is true: length would give the label away.
    Raises: ConfigError for a directory that is not there or holds no pairs.
    """
    files = pair_files(directory)
    sources: list[Source] = []
    parts: list[Part] = []
    for path in files:
        read = list(read_pairs(path))
        good = [row for row in read if isinstance(row, Pair)]
        labelled = [row for row in good if row.label is not None]
        bad = sum(isinstance(row, BadLine) for row in read)
        sources.append(source(path, rows=len(read), labelled=len(labelled), bad_lines=bad))
        parts += _parts(path.name, labelled, most)
    if not parts:
        raise ConfigError(f"{directory}: no pair in {', '.join(path.name for path in files)} has a label")
    return sources, parts


def source(path: Path, *, rows: int, labelled: int, bad_lines: int) -> Source:
    """A file with its digest."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Source(file=path.name, sha256=digest, rows=rows, labelled=labelled, bad_lines=bad_lines)


def pair_files(directory: Path) -> list[Path]:
    """The files of pairs in a directory. Raises: ConfigError where there are none."""
    if not directory.is_dir():
        raise ConfigError(f"{directory}: no such directory")
    files = sorted({path for pattern in PAIRS for path in directory.glob(pattern)})
    if not files:
        raise ConfigError(f"{directory}: holds no files of pairs ({', '.join(PAIRS)})")
    return files


def judgement_files(directory: Path) -> list[Path]:
    """The files of recorded verdicts of language models, if any."""
    return sorted({path for pattern in JUDGEMENTS for path in directory.glob(pattern)})


def _parts(file: str, labelled: Sequence[Pair], most: int) -> list[Part]:
    found: list[Part] = []
    datasets: dict[str, list[Pair]] = {}
    for pair in labelled:
        datasets.setdefault(str(pair.record.get("dataset") or file), []).append(pair)
    for dataset, rows in datasets.items():
        matched = [row for row in rows if lookup(row.record, "meta.length_matched") is True]
        chosen, note = (matched, "answers of like length only; ") if matched else (rows, "")
        models = Counter(str(lookup(row.record, "meta.answer_model")) for row in chosen)
        if 1 < len(models) <= MOST_MODELS and min(models.values()) >= MODEL_ROWS:
            for model in models:
                own = [row for row in chosen if str(lookup(row.record, "meta.answer_model")) == model]
                found.append(_part(f"{dataset}, {model}", file, own, note, most))
        else:
            found.append(_part(dataset, file, chosen, note, most))
    return found


def _part(name: str, file: str, rows: Sequence[Pair], note: str, most: int) -> Part:
    kept = sample(rows, most)
    labels = sorted({str(lookup(row.record, "meta.label_source") or "not said") for row in rows})
    return Part(
        name=name,
        file=file,
        label_source=", ".join(labels),
        note=note,
        available=len(rows),
        pairs=tuple(kept),
    )


def sample(rows: Sequence[Pair], most: int) -> list[Pair]:
    """At most so many rows, whole questions in the order of a hash of them; in the order of the file."""
    if len(rows) <= most:
        return list(rows)
    groups: dict[str, list[Pair]] = {}
    for row in rows:
        groups.setdefault(row.cluster, []).append(row)
    taken: list[Pair] = []
    for _, members in sorted(groups.items(), key=lambda item: _hash(item[0])):
        if taken and len(taken) + len(members) > most:
            break
        taken += members
    return sorted(taken, key=lambda row: row.line)


def _hash(text: str) -> str:
    return hashlib.sha256(f"judge cards\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def as_values(sources: Sequence[Source], parts: Sequence[Part]) -> dict[str, Any]:
    """Where the rows of a card come from, as values for JSON."""
    return {
        "files": [
            {"file": s.file, "sha256": s.sha256, "rows": s.rows, "labelled": s.labelled, "bad_lines": s.bad_lines}
            for s in sources
        ],
        "parts": [
            {
                "part": part.name,
                "file": part.file,
                "labels": part.label_source,
                "selection": part.selection,
                "pairs": len(part.pairs),
                "questions": len({pair.cluster for pair in part.pairs}),
                "acceptable": round(sum(pair.label or 0 for pair in part.pairs) / len(part.pairs), 4),
            }
            for part in parts
        ],
    }
