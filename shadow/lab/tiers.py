"""Which tiers does the lab have, what do they cost, and how good are they really?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from shadow.lab.tasks.contracts import Kind
from shadow.lab.tasks.lapses import Style


@dataclass(frozen=True, slots=True, kw_only=True)
class LabTier:
    """A tier of the simulated provider.

    skill: kind -> probability of a right answer at difficulty .5. slope: how much the log-odds fall from difficulty 0 to 1.
    latency_seconds: median time to a whole answer. system_fingerprint: what a provider reports of its build.
    """

    name: str
    model: str
    style: Style
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    context_tokens: int
    latency_seconds: float
    skill: Mapping[Kind, float]
    slope: float

    @property
    def system_fingerprint(self) -> str:
        return "fp_" + self.model.replace("-", "_")

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """List price of one call."""
        return (prompt_tokens * self.input_usd_per_mtok + completion_tokens * self.output_usd_per_mtok) / 1_000_000


#: Cheapest first. The cheap tier is good at reading and labelling, weak at reckoning and at keeping facts in a summary.
TIERS: tuple[LabTier, ...] = (
    LabTier(
        name="fast",
        model="lab-fast-2026-05",
        style="terse",
        input_usd_per_mtok=Decimal("0.10"),
        output_usd_per_mtok=Decimal("0.40"),
        context_tokens=16_384,
        latency_seconds=0.015,
        skill={
            "extraction": 0.91,
            "classification": 0.96,
            "arithmetic": 0.58,
            "order_status": 0.94,
            "short_qa": 0.92,
            "summary": 0.68,
        },
        slope=1.6,
    ),
    LabTier(
        name="mid",
        model="lab-mid-2026-05",
        style="plain",
        input_usd_per_mtok=Decimal("0.80"),
        output_usd_per_mtok=Decimal("3.20"),
        context_tokens=65_536,
        latency_seconds=0.030,
        skill={
            "extraction": 0.965,
            "classification": 0.97,
            "arithmetic": 0.86,
            "order_status": 0.965,
            "short_qa": 0.955,
            "summary": 0.87,
        },
        slope=1.2,
    ),
    LabTier(
        name="frontier",
        model="lab-frontier-2026-05",
        style="thorough",
        input_usd_per_mtok=Decimal("5"),
        output_usd_per_mtok=Decimal("25"),
        context_tokens=131_072,
        latency_seconds=0.060,
        skill={
            "extraction": 0.985,
            "classification": 0.985,
            "arithmetic": 0.965,
            "order_status": 0.985,
            "short_qa": 0.98,
            "summary": 0.955,
        },
        slope=0.8,
    ),
)
