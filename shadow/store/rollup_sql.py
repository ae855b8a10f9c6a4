"""Which statements turn raw rows into sums? One insertion per table, over any stretch of time, into buckets or into days."""

from __future__ import annotations

from shadow.statistics.histogram import (
    LATENCY_BINS,
    LATENCY_BINS_PER_DECADE,
    LATENCY_FROM_SECONDS,
    SCORE_BINS,
)
from shadow.statistics.pair_sums import PAIR_FIELDS
from shadow.statistics.sums import SUM_FIELDS
from shadow.store.moves import MOVES
from shadow.store.noise_sums import NOISE

#: Keys of a row of `rollups`, beside the bucket and the mode.
KEY = ("tier", "model", "query_type", "feature", "band")
OBSERVED_KEY = ("tier", "served_tier", "query_type", "feature", "band")
PAIR_KEY = ("tier", "other_tier", "arm", *KEY[1:], "mode")
STRATUM_KEY = ("tier", "query_type", "band", "mode")
HISTOGRAM_KEY = ("kind", "tier", "other_tier", "model", "mode")

# What each sample contributes. Letters stand for their factors: wvpp = w * v * p * p; see Sums.
_COUNTS = {
    "sampled": "count(*)",
    "mirrored": "count(*) FILTER (WHERE state IN ('mirrored', 'judged', 'abstained'))",
    "judged": "count(*) FILTER (WHERE decided)",
    "abstained": "count(*) FILTER (WHERE NOT decided AND state = 'abstained')",
    "failed": "count(*) FILTER (WHERE NOT decided AND state IN ('failed', 'shed'))",
    "labelled": "count(*) FILTER (WHERE y IS NOT NULL)",
    "priced": "count(*) FILTER (WHERE priced)",
    "pairs": "count(*)",
}
_PRICED = {
    "d": "w",
    "d_ref": "w * c_ref",
    "d_served": "w * c_served",
    "dd": "w * w",
    "dd_ref": "w * w * c_ref",
    "dd_served": "w * w * c_served",
    "dd_ref_ref": "w * w * c_ref * c_ref",
    "dd_ref_served": "w * w * c_ref * c_served",
    "dd_served_served": "w * w * c_served * c_served",
}
_REQUESTS = ("requests", "cost_usd", "cost_usd_squared")
_SAMPLE_FIELDS = tuple(name for name in SUM_FIELDS if name not in _REQUESTS)


def _term(name: str) -> str:
    if name in _COUNTS:
        return _COUNTS[name]
    if name in _PRICED:
        return f"sum({_PRICED[name]}) FILTER (WHERE priced)"
    undecided = name.startswith("u_")
    product = " * ".join(name.removeprefix("u_"))
    return f"sum({product}) FILTER (WHERE {'NOT ' if undecided else ''}decided)"


def _sums(names: tuple[str, ...]) -> str:
    return ", ".join(f"coalesce({_term(name)}, 0) AS {name}" for name in names)


def _insertion(table: str, key: tuple[str, ...], traffic: str, sampled: str) -> str:
    """Exact counts of all requests beside the sums over samples, per key."""
    keys = ", ".join(key)
    return f"""
WITH traffic AS ({traffic}), sampled AS ({sampled}), summed AS (
    SELECT {keys}, {_sums(_SAMPLE_FIELDS)} FROM sampled GROUP BY {keys}
)
INSERT INTO {table} (bucket_start, {keys}, {", ".join(SUM_FIELDS)})
SELECT CAST(:start AS timestamptz), {keys},
    {", ".join(f"coalesce(traffic.{name}, 0)" for name in _REQUESTS)},
    {", ".join(f"coalesce(summed.{name}, 0)" for name in _SAMPLE_FIELDS)}
FROM traffic FULL JOIN summed USING ({keys})
"""  # noqa: S608 - built from constants of this module


def _rollups(table: str) -> str:
    return _insertion(
        table,
        (*KEY, "mode"),
        """
    SELECT served_tier AS tier, coalesce(served_model, '') AS model, query_type, coalesce(feature, '') AS feature, band, mode,
           count(*) AS requests, sum(cost_usd) AS cost_usd, sum(cost_usd * cost_usd) AS cost_usd_squared
    FROM exchanges WHERE started_at >= :start AND started_at < :end AND status = 'answered'
    GROUP BY 1, 2, 3, 4, 5, 6
    """,
        """
    SELECT s.served_tier AS tier, s.served_model AS model, s.query_type, s.feature, s.band, s.mode, s.state,
           1.0::float8 / s.pi AS w,
           CASE WHEN l.label IS NULL THEN 0 ELSE 1.0::float8 / (s.pi * s.eta) END AS v,
           l.label::float8 AS y,
           a.probability AS p,
           a.probability IS NOT NULL AS decided,
           r.outcome IS NOT DISTINCT FROM 'ok' AND s.arm = 'up' AS priced,
           r.cost_usd::float8 AS c_ref, a.cost_usd::float8 AS c_served
    FROM samples s
    JOIN answers a ON a.request_id = s.request_id AND a.served
    LEFT JOIN answers r ON r.request_id = s.request_id AND r.tier = s.reference_tier AND r.repeat = 0 AND NOT r.served
    LEFT JOIN LATERAL (
        SELECT label FROM labels WHERE s.label_drawn AND labels.request_id = s.request_id
        AND labels.tier = s.served_tier AND labels.repeat = 0 ORDER BY labelled_at, reviewer LIMIT 1
    ) l ON true
    WHERE s.started_at >= :start AND s.started_at < :end AND s.counts_for_accuracy
    """,
    )


def _observed(table: str) -> str:
    """The same in mode observe for the tier decided for: mirrored where another one served."""
    return _insertion(
        table,
        OBSERVED_KEY,
        """
    SELECT chosen_tier AS tier, served_tier, query_type, coalesce(feature, '') AS feature, band,
           count(*) AS requests, sum(cost_usd) AS cost_usd, sum(cost_usd * cost_usd) AS cost_usd_squared
    FROM exchanges WHERE started_at >= :start AND started_at < :end AND status = 'answered' AND mode = 'observe'
    GROUP BY 1, 2, 3, 4, 5
    """,
        """
    SELECT s.decided_tier AS tier, s.served_tier, s.query_type, s.feature, s.band, s.state,
           1.0::float8 / s.decided_pi AS w,
           CASE WHEN l.label IS NULL THEN 0 ELSE 1.0::float8 / (s.decided_pi * s.decided_eta) END AS v,
           l.label::float8 AS y,
           a.probability AS p,
           a.probability IS NOT NULL AS decided,
           a.outcome IS NOT DISTINCT FROM 'ok' AND NOT a.served AS priced,
           a.cost_usd::float8 AS c_ref, served.cost_usd::float8 AS c_served
    FROM samples s
    JOIN answers served ON served.request_id = s.request_id AND served.served
    LEFT JOIN answers a ON a.request_id = s.request_id AND a.tier = s.decided_tier AND a.repeat = 0
    LEFT JOIN LATERAL (
        SELECT label FROM labels WHERE s.decided_label_drawn AND labels.request_id = s.request_id
        AND labels.tier = s.decided_tier AND labels.repeat = 0 ORDER BY labelled_at, reviewer LIMIT 1
    ) l ON true
    WHERE s.started_at >= :start AND s.started_at < :end AND s.decided_tier IS NOT NULL
    """,
    )


def _strata(table: str) -> str:
    """From the rows of `rollups` that were inserted just before, as there are far fewer of them than of raw rows."""
    keys, source = ", ".join(STRATUM_KEY), table.replace("rollup_strata", "rollups")
    return f"""
INSERT INTO {table} (bucket_start, {keys}, {", ".join(SUM_FIELDS)})
SELECT CAST(:start AS timestamptz), {keys}, {", ".join(f"sum({name})" for name in SUM_FIELDS)}
FROM {source} WHERE bucket_start >= :start AND bucket_start < :end GROUP BY {keys}
"""  # noqa: S608


def _routes(table: str) -> str:
    return f"""
INSERT INTO {table} (bucket_start, predicted_tier, served_tier, reason, status, mode, requests, cost_usd)
SELECT CAST(:start AS timestamptz), predicted_tier, coalesce(served_tier, ''), coalesce(reason, ''), status, mode,
       count(*), sum(cost_usd)
FROM exchanges WHERE started_at >= :start AND started_at < :end GROUP BY 2, 3, 4, 5, 6
"""  # noqa: S608


def _shadow(table: str) -> str:
    return f"""
INSERT INTO {table} (bucket_start, served_tier, arm, state, mode, samples, labelled, mirror_usd, judge_usd)
SELECT CAST(:start AS timestamptz), s.served_tier, s.arm, s.state, s.mode, count(*),
    count(*) FILTER (WHERE EXISTS (SELECT FROM labels l WHERE l.request_id = s.request_id)),
    coalesce(sum((SELECT sum(cost_usd) FROM answers a WHERE a.request_id = s.request_id AND NOT a.served)), 0),
    coalesce(sum((SELECT sum(cost_usd) FROM judgments j WHERE j.request_id = s.request_id)), 0)
FROM samples s WHERE s.started_at >= :start AND s.started_at < :end GROUP BY 2, 3, 4, 5
"""  # noqa: S608


def _pairs(table: str) -> str:
    """The served answer beside that of every other tier that was drawn. The reference counts as acceptable, as to the judges:
    the reference tier's answer, or the first that was drawn where that tier was not (see `shadow.judging.mirrored.comparisons`).

    Labels need both answers drawn for a reviewer. Where a tier between was asked alone no reviewer is, so that v is too small
    by a constant of the design; phases are normalised each by itself, and a constant cancels.
    """
    keys = ", ".join(PAIR_KEY)
    return f"""
WITH drawn AS (
    SELECT s.request_id, s.served_tier AS tier, t.tier AS other_tier, s.arm, s.served_model AS model, s.query_type, s.feature,
           s.band, s.mode, s.eta, s.label_drawn, t.pi,
           CASE WHEN s.reference_tier = s.served_tier OR s.plan @> jsonb_build_array(jsonb_build_array(s.reference_tier, 0))
                THEN s.reference_tier ELSE s.plan->0->>0 END AS reference
    FROM samples s CROSS JOIN LATERAL (
        SELECT e->>0 AS tier, (e->>2)::float8 AS pi FROM jsonb_array_elements(s.plan) AS e
        WHERE (e->>1)::int = 0 AND e->>0 <> s.served_tier
    ) t
    WHERE s.started_at >= :start AND s.started_at < :end AND s.arm <> 'upgrade'
), paired AS (
    SELECT drawn.*, 1.0::float8 / drawn.pi AS w, (lo.label - ls.label)::float8 AS y,
           CASE WHEN lo.label IS NULL OR ls.label IS NULL THEN 0 ELSE 1.0::float8 / (drawn.pi * drawn.eta) END AS v,
           CASE WHEN o.request_id IS NULL THEN NULL WHEN drawn.other_tier = drawn.reference THEN 1 ELSE o.probability END
           - CASE WHEN drawn.tier = drawn.reference THEN 1 ELSE a.probability END AS d
    FROM drawn
    JOIN answers a ON a.request_id = drawn.request_id AND a.served
    LEFT JOIN answers o ON o.request_id = drawn.request_id AND o.tier = drawn.other_tier AND o.repeat = 0 AND o.outcome = 'ok'
    LEFT JOIN LATERAL ({_label("tier")}) ls ON true
    LEFT JOIN LATERAL ({_label("other_tier")}) lo ON true
), summed AS (
    SELECT {keys}, {_sums(PAIR_FIELDS)} FROM (SELECT *, d IS NOT NULL AS decided FROM paired) AS p GROUP BY {keys}
)
INSERT INTO {table} (bucket_start, {keys}, {", ".join(PAIR_FIELDS)})
SELECT CAST(:start AS timestamptz), {keys}, {", ".join(PAIR_FIELDS)} FROM summed
"""  # noqa: S608


def _label(column: str) -> str:
    return f"""SELECT label FROM labels WHERE drawn.label_drawn AND labels.request_id = drawn.request_id
        AND labels.tier = drawn.{column} AND labels.repeat = 0 ORDER BY labelled_at, reviewer LIMIT 1"""  # noqa: S608


def _histograms(table: str) -> str:
    score = f"least(floor({{}} * {SCORE_BINS})::int, {SCORE_BINS - 1})"
    latency = (
        f"greatest(0, least({LATENCY_BINS - 1}, floor({LATENCY_BINS_PER_DECADE} * "
        f"log((greatest({{}}, 1e-9) / {LATENCY_FROM_SECONDS})::float8))::int))"
    )
    within = "started_at >= :start AND started_at < :end"
    return f"""
WITH binned AS (
    SELECT 'confidence' AS kind, predicted_tier AS tier, coalesce(served_tier, '') AS other_tier, '' AS model, mode,
           {score.format("confidence")} AS bin, {SCORE_BINS} AS bins, count(*) AS n
    FROM exchanges WHERE {within} GROUP BY 2, 3, 5, 6
    UNION ALL
    SELECT 'latency', served_tier, '', coalesce(served_model, ''), mode, {latency.format("latency_seconds")},
           {LATENCY_BINS}, count(*)
    FROM exchanges WHERE {within} AND status = 'answered' GROUP BY 2, 4, 5, 6
    UNION ALL
    SELECT 'first_token', served_tier, '', coalesce(served_model, ''), mode, {latency.format("first_token_seconds")},
           {LATENCY_BINS}, count(*)
    FROM exchanges WHERE {within} AND status = 'answered' AND first_token_seconds IS NOT NULL GROUP BY 2, 4, 5, 6
    UNION ALL
    SELECT 'probability', a.tier, s.reference_tier, '', s.mode, {score.format("a.probability")}, {SCORE_BINS}, count(*)
    FROM samples s JOIN answers a ON a.request_id = s.request_id AND a.repeat = 0 AND a.probability IS NOT NULL
    WHERE {within.replace("started_at", "s.started_at")} AND s.arm <> 'upgrade' GROUP BY 2, 3, 5, 6
), keyed AS (
    SELECT kind, tier, other_tier, model, mode, bins, array_agg(bin) AS bin_numbers, array_agg(n) AS ns FROM binned
    GROUP BY 1, 2, 3, 4, 5, 6
)
INSERT INTO {table} (bucket_start, {", ".join(HISTOGRAM_KEY)}, counts)
SELECT CAST(:start AS timestamptz), {", ".join(HISTOGRAM_KEY)}, ARRAY(
    SELECT coalesce(ns[array_position(bin_numbers, i)], 0) FROM generate_series(0, bins - 1) AS i ORDER BY i
) FROM keyed
"""  # noqa: S608


#: Table of sums by bucket -> its insertion, of the table's name. In the order in which they are to run.
INSERTIONS = {
    "rollups": _rollups,
    "rollup_strata": _strata,
    "rollup_observed": _observed,
    "rollup_routes": _routes,
    "rollup_shadow": _shadow,
    "rollup_moves": lambda table: MOVES.replace("INTO rollup_moves", f"INTO {table}"),
    "rollup_noise": lambda table: NOISE.replace("INTO rollup_noise", f"INTO {table}"),
    "rollup_pairs": _pairs,
    "rollup_histograms": _histograms,
}
