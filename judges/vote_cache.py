"""What did this model say about the same texts before? Votes by content hash: bounded in memory, on disk if wanted.

Only hashes, votes and scores go to disk, no texts; reasons stay in memory.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from judges.contracts import Comparison
from judges.errors import JudgeError

FILE_NAME = "judge-votes-1.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What one model said about one comparison. accepted, score: None where it decided nothing, and `reasons` says why.

    final: asking again would be asking for the same; a vote that failed is not. cached: it was said before and cost nothing now.
    """

    accepted: bool | None
    score: float | None = None
    reasons: str = ""
    cost_usd: Decimal = Decimal(0)
    final: bool = True
    cached: bool = False


def content_key(judge: str, identity: str, comparison: Comparison) -> str:
    """A hash of all that a vote depends on: judge@version (and with it the prompts), the model, the texts, the query type."""
    said = [
        judge,
        identity,
        comparison.prompt,
        comparison.answer,
        comparison.reference,
        comparison.context,
        comparison.query_type,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


class VoteCache:
    """The latest votes, at most `entries`. With a directory they outlive the process; several processes may share it.

    Raises: JudgeError where the directory cannot be used.
    """

    def __init__(self, *, entries: int = 10_000, directory: Path | None = None) -> None:
        self._entries = entries
        self._votes: OrderedDict[str, Vote] = OrderedDict()
        self._path = directory / FILE_NAME if directory is not None and entries else None
        self.hits = 0
        self.misses = 0
        self._lines = 0  # in the file, as far as we know
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._load(self._path)
            except OSError as exc:
                raise JudgeError(f"{self._path}: the cache of votes cannot be used: {exc.strerror or exc}") from exc

    def __len__(self) -> int:
        return len(self._votes)

    def get(self, key: str) -> Vote | None:
        """The vote said before, marked as cached and free of cost; None where there is none."""
        vote = self._votes.get(key)
        if vote is None:
            self.misses += 1
            return None
        self.hits += 1
        self._votes.move_to_end(key)
        return replace(vote, cached=True, cost_usd=Decimal(0))

    def put(self, key: str, vote: Vote) -> None:
        """Keep a final vote. A full disk costs the memory of it, not the judgment."""
        if not vote.final or not self._entries:
            return
        self._keep(key, vote)
        if self._path is not None:
            with suppress(OSError), self._path.open("a", encoding="utf-8") as file:
                file.write(_line(key, vote))
                self._lines += 1
            self._cut()

    def _keep(self, key: str, vote: Vote) -> None:
        self._votes[key] = vote
        self._votes.move_to_end(key)
        while len(self._votes) > self._entries:
            self._votes.popitem(last=False)

    def _load(self, path: Path) -> None:
        """Take up what is there; a damaged line is passed over."""
        if path.exists():
            with path.open(encoding="utf-8", errors="replace") as file:
                for line in file:
                    self._lines += 1
                    if (found := _read(line)) is not None:
                        self._keep(*found)
        self._cut()

    def _cut(self) -> None:
        """Write a file of more than twice the bound anew. Votes that another process adds in between are forgotten."""
        if self._path is None or self._lines <= 2 * self._entries:
            return
        self._lines = len(self._votes)
        with suppress(OSError):
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=self._path.parent, delete=False) as anew:
                anew.writelines(_line(key, vote) for key, vote in self._votes.items())
            os.replace(anew.name, self._path)  # noqa: PTH105 - one step, so that no reader sees half of it


def _line(key: str, vote: Vote) -> str:
    return json.dumps({"key": key, "accepted": vote.accepted, "score": vote.score}) + "\n"


def _read(line: str) -> tuple[str, Vote] | None:
    try:
        value = json.loads(line)
        key, accepted, score = value["key"], value["accepted"], value["score"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    decided = isinstance(accepted, bool) and isinstance(score, float | int) and 0 <= score <= 1
    if not isinstance(key, str) or not (decided or (accepted is None and score is None)):
        return None
    return key, Vote(accepted=accepted, score=score, reasons="said before; the reasons were not kept")
