"""Which sample does a reviewer see next, and how many are left?

Drawn samples come oldest first: for a first label; some, by a hash of their id, for a second reviewer; and those on which two
reviewers disagree for a third. Nobody sees a sample twice, and what two reviewers could not tell is asked of no third. Outside
the draw, so in no estimate: samples that clients rated down, and some of those on which the panel abstained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shadow.store.schema import answers, samples
from shadow.store.schema_labels import label_extras

#: Of how many reviewers who can't tell a sample is asked.
MOST_SKIPS = 2
Stratum = Literal["drawn", "rated", "doubt", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Samples that wait for one reviewer. first, second, third: drawn ones, by how many labels they then have.

    untold: drawn samples that two reviewers looked at in vain. textless: those whose texts are not kept.
    """

    first: int
    second: int
    third: int
    untold: int
    textless: int

    @property
    def drawn(self) -> int:
        """What is to be looked at for the figures' sake."""
        return self.first + self.second + self.third


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A sample as it is put before a reviewer. answers: (tier, completion), one or two, those that count first."""

    sample_id: str
    prompt: str
    request_body: str
    dialect: str
    answers: tuple[tuple[str, str], ...]


def _share(salt: str) -> str:
    """SQL for a number in [0, 1) that hangs on the sample's id and the salt alone."""
    digest = f"sha256(convert_to(s.request_id::text || ' {salt}', 'UTF8'))"
    return f"(('x' || left(encode({digest}, 'hex'), 13))::bit(52)::bigint / 4503599627370496.0)"


# One row per answer that was drawn: the served one, in mode observe also that of the tier decided for.
_SUBJECTS = f"""
WITH subjects AS (
    SELECT request_id, started_at, served_tier AS tier FROM samples s
    WHERE (label_drawn OR decided_label_drawn) AND label_drawn AND state <> 'sampled'
    AND texts_deleted_at IS NULL
    UNION
    SELECT request_id, started_at, decided_tier FROM samples s
    WHERE (label_drawn OR decided_label_drawn) AND decided_label_drawn AND state <> 'sampled'
    AND texts_deleted_at IS NULL
    UNION
    SELECT s.request_id, s.started_at, x.tier FROM upgrade_pairs p JOIN samples s ON s.request_id = p.request_id
    CROSS JOIN LATERAL (VALUES (s.served_tier), ('(candidate)')) AS x (tier)
    WHERE p.label_drawn AND p.entered_at IS NULL AND s.state <> 'sampled' AND s.texts_deleted_at IS NULL
), said AS (
    SELECT l.request_id, l.tier, count(*) AS given, min(l.label) AS lowest, max(l.label) AS highest,
           bool_or(l.reviewer = :reviewer) AS mine
    FROM labels l JOIN subjects USING (request_id, tier) WHERE l.repeat = 0 GROUP BY 1, 2
), passed AS (
    SELECT item_id AS request_id, tier, count(*) AS skipped, bool_or(reviewer = :reviewer) AS mine
    FROM label_skips GROUP BY 1, 2
), needed AS MATERIALIZED (
    SELECT s.request_id, s.tier, s.started_at, coalesce(skipped, 0) AS skipped,
           coalesce(said.mine, false) OR coalesce(passed.mine, false) AS mine,
           CASE WHEN given IS NULL THEN 'first'
                WHEN given = 1 AND {_share("second")} < CAST(:second_share AS float8) THEN 'second'
                WHEN given = 2 AND lowest <> highest THEN 'third' END AS need
    FROM subjects s LEFT JOIN said USING (request_id, tier) LEFT JOIN passed USING (request_id, tier)
), looked_at AS (
    SELECT n.*, coalesce(t.prompt = '', true) AS textless
    FROM needed n
    JOIN answers a ON a.request_id = n.request_id AND a.tier = n.tier AND a.repeat = 0 AND a.outcome = 'ok'
    LEFT JOIN sample_texts t ON t.request_id = n.request_id
    WHERE n.need IS NOT NULL
)
"""  # noqa: S608 - built from constants of this module
_OPEN = f"NOT mine AND NOT textless AND skipped < {MOST_SKIPS}"
_WAITING = sa.text(
    f"""{_SUBJECTS}
SELECT request_id FROM looked_at WHERE {_OPEN} GROUP BY 1 ORDER BY min(started_at), 1 LIMIT CAST(:most AS int)
"""  # noqa: S608
)
_LEFT = sa.text(
    _SUBJECTS
    + f"""
SELECT count(DISTINCT request_id) FILTER (WHERE {_OPEN} AND need = 'first') AS first,
       count(DISTINCT request_id) FILTER (WHERE {_OPEN} AND need = 'second') AS second,
       count(DISTINCT request_id) FILTER (WHERE {_OPEN} AND need = 'third') AS third,
       count(DISTINCT request_id) FILTER (WHERE need = 'first' AND skipped >= {MOST_SKIPS}) AS untold,
       count(DISTINCT request_id) FILTER (WHERE need = 'first' AND textless) AS textless
FROM looked_at
"""  # noqa: S608
)
# Not drawn, not labelled by anybody, not yet passed on by this reviewer.
_OUTSIDE = f"""
    NOT s.label_drawn AND NOT s.decided_label_drawn AND s.state <> 'sampled' AND t.prompt <> ''
    AND NOT EXISTS (SELECT FROM labels l WHERE l.request_id = s.request_id AND l.tier = s.served_tier AND l.repeat = 0)
    AND NOT EXISTS (SELECT FROM label_skips l WHERE l.item_id = s.request_id AND l.reviewer = :reviewer)
    AND (SELECT count(DISTINCT reviewer) FROM label_skips l WHERE l.item_id = s.request_id) < {MOST_SKIPS}
"""  # noqa: S608
_RATED = sa.text(
    f"""
SELECT s.request_id FROM samples s JOIN sample_texts t ON t.request_id = s.request_id
WHERE {_OUTSIDE} AND EXISTS (
    SELECT FROM feedback f WHERE f.request_id = s.request_id AND f.tier = s.served_tier
    AND f.source = 'user' AND f.rating = 'down'
) ORDER BY s.started_at DESC LIMIT CAST(:most AS int)
"""  # noqa: S608
)
# eta was the chance of the draw; together with this second one the chance is ratio * eta, at most 1.
_DOUBT = (
    "s.counts_for_accuracy AND s.state = 'abstained' AND s.eta < 1 AND "
    f"{_share('doubt')} < (least(1.0, CAST(:ratio AS float8) * s.eta) - s.eta) / (1.0 - s.eta)"
)
_DOUBTED = sa.text(
    f"""
SELECT s.request_id FROM samples s JOIN sample_texts t ON t.request_id = s.request_id
WHERE {_DOUBT} AND {_OUTSIDE} ORDER BY s.started_at LIMIT CAST(:most AS int)
"""  # noqa: S608
)


async def drawn_for(connection: AsyncConnection, reviewer: str, *, second_share: float, limit: int) -> list[str]:
    """Drawn samples that wait for this reviewer, oldest first, whether for a first, a second or a settling label.

    The order hangs on nothing that was said about them: a reviewer who stops early has not chosen by it.
    """
    asked = {"reviewer": reviewer, "second_share": second_share, "most": limit}
    return [str(found) for found in await connection.scalars(_WAITING, asked)]


async def left_for(connection: AsyncConnection, reviewer: str, *, second_share: float) -> Left:
    """How much waits for this reviewer."""
    row = (await connection.execute(_LEFT, {"reviewer": reviewer, "second_share": second_share})).one()
    return Left(**row._mapping)


async def rated_for(connection: AsyncConnection, reviewer: str, *, limit: int) -> list[str]:
    """Samples outside the draw that a client rated down and nobody has labelled, newest first."""
    return [str(found) for found in await connection.scalars(_RATED, {"reviewer": reviewer, "most": limit})]


async def doubted_for(connection: AsyncConnection, reviewer: str, *, ratio: float, limit: int) -> list[str]:
    """Samples outside the draw on which the panel abstained, drawn so that they are labelled `ratio` times as likely."""
    if ratio <= 1.0:
        return []
    asked = {"reviewer": reviewer, "ratio": ratio, "most": limit}
    return [str(found) for found in await connection.scalars(_DOUBTED, asked)]


async def note_extra(connection: AsyncConnection, sample_id: str, *, ratio: float, now: datetime) -> Stratum:
    """Write down to which stratum a sample that is being labelled belongs; the first word on it counts."""
    row = (
        await connection.execute(
            sa.text(
                "SELECT s.label_drawn OR s.decided_label_drawn OR s.arm = 'upgrade' AS drawn, s.eta, "  # noqa: S608
                f"({_DOUBT}) AS doubted, EXISTS ("
                "SELECT FROM feedback f WHERE f.request_id = s.request_id AND f.source = 'user' AND f.rating = 'down'"
                ") AS rated FROM samples s WHERE s.request_id = CAST(:id AS uuid)"
            ),
            {"id": sample_id, "ratio": ratio},
        )
    ).one()
    if row.drawn:
        return "drawn"
    stratum: Stratum = "rated" if row.rated else "doubt" if row.doubted and ratio > 1.0 else "other"
    eta = min(1.0, ratio * row.eta) if stratum == "doubt" else None
    await connection.execute(
        insert(label_extras).on_conflict_do_nothing(),
        {"request_id": sample_id, "stratum": stratum, "eta": eta, "added_at": now},
    )
    return stratum


async def candidate(connection: AsyncConnection, sample_id: str) -> Candidate | None:
    """A sample with its prompt and the pair of answers to look at; None where there is no such sample or no text is left.

    The pair: the tier decided for where that was drawn, the served tier, the other model of an upgrade, the reference; then
    whatever else was obtained.
    """
    row = (
        await connection.execute(
            sa.text(
                "SELECT s.served_tier, s.reference_tier, s.decided_tier, s.decided_label_drawn, "
                "t.prompt, t.request_body, t.dialect FROM samples s JOIN sample_texts t USING (request_id) "
                "WHERE s.request_id = CAST(:id AS uuid) AND t.prompt <> ''"
            ),
            {"id": sample_id},
        )
    ).first()
    if row is None:
        return None
    obtained = {
        tier: completion or ""
        for tier, completion in await connection.execute(
            sa.text(
                "SELECT tier, completion FROM answers WHERE request_id = CAST(:id AS uuid) AND repeat = 0 "
                "AND outcome = 'ok' ORDER BY tier"
            ),
            {"id": sample_id},
        )
    }
    return Candidate(
        sample_id=sample_id,
        prompt=row.prompt,
        request_body=row.request_body,
        dialect=row.dialect,
        answers=tuple((tier, obtained[tier]) for tier in _pair(row, list(obtained))),
    )


def _pair(row: sa.Row[Any], obtained: Sequence[str]) -> list[str]:
    first = [row.decided_tier] if row.decided_label_drawn else []
    other_model = [tier for tier in obtained if tier.startswith("(")]  # of an upgrade: no tier has such a name
    wanted = dict.fromkeys([*first, row.served_tier, *other_model, row.reference_tier, *obtained])
    return [tier for tier in wanted if tier in obtained][:2]


async def is_sample(connection: AsyncConnection, item_id: str) -> bool:
    """Whether there is a sample of this id."""
    return bool(await connection.scalar(sa.select(sa.exists().where(samples.c.request_id == item_id))))


async def obtained_tiers(connection: AsyncConnection, sample_id: str) -> list[str]:
    """Tiers whose first answer to this sample is there."""
    query = sa.select(answers.c.tier).where(
        answers.c.request_id == sample_id, answers.c.repeat == 0, answers.c.outcome == "ok"
    )
    return list(await connection.scalars(query))
