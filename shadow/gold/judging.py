"""How do the judges do on answers of known truth, today? Once a UTC day, whole, within a budget of its own, nothing remembered.

What came out is stored by day and judge@version; where a judge has become worse since its first run on this version of the gold
set, an alert opens, and closes when a later day shows nothing of it any more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal

import procrastinate
import structlog

from judges.contracts import Comparison, Judgment, PanelJudgment
from judges.pairwise import NAME as PAIRWISE
from judges.pairwise import ORDERS_DISAGREE
from judges.panel import Panel
from shadow.errors import StoreError
from shadow.gold.alerts import report_drift, report_tampering
from shadow.gold.figures import figures_of, streams_of
from shadow.judging.panels import Panels
from shadow.settings import Settings
from shadow.statistics.gold_drift import ALPHA
from shadow.store import budgets, gold
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.gold import GoldItem, GoldVerdict, GoldVersion
from shadow.task_queue import GOLD, JUDGE

log = structlog.get_logger()

#: Items judged under one reservation.
_BATCH = 10
_UNAVAILABLE = "unavailable"


class GoldJudging:
    """The task. panels: the configuration's; of these `fresh`, which remembers nothing, or `free` where no judge costs money."""

    def __init__(self, settings: Settings, engine: AsyncEngine, panels: Panels) -> None:
        self._settings = settings
        self._engine = engine
        self._panels = panels

    def register(self, app: procrastinate.App) -> None:
        @app.task(name=GOLD, queue=JUDGE)
        async def judge_gold() -> None:
            await self.run()

    async def run(self) -> str:
        """Judge the version in force, if today has not; what became of it: none, known, broken, shed, done."""
        now = utc_now()
        async with self._engine.connect() as connection:
            version = await gold.latest(connection)
            if version is None:
                return "none"
            if await gold.has_run(connection, version.version, now.date()):
                return "known"
        items = await self._items(version)
        if items is None:
            return "broken"
        verdicts, spent = await self._judged(items)
        known = {item.item_id: item for item in items}
        by_judge: dict[str, list[GoldVerdict]] = {}
        for verdict in verdicts:
            by_judge.setdefault(verdict.judge, []).append(verdict)
        async with self._engine.begin() as connection:
            stored = await gold.save_run(
                connection,
                version.version,
                now.date(),
                state="done" if verdicts else "shed",
                cost_usd=spent,
                now=now,
                verdicts=verdicts,
                figures={judge: figures_of(said, known) for judge, said in by_judge.items()},
            )
            if stored and verdicts:
                runs = await gold.runs_of_day(connection, version.version, now.date())
                streams = streams_of(runs, known, alpha=ALPHA)
                await report_drift(connection, version, streams, judges=self._names() | set(runs), now=now)
        outcome = "done" if verdicts else "shed"
        log.info("gold.judged", version=version.version, outcome=outcome, items=len(items), verdicts=len(verdicts))
        return outcome

    @property
    def _panel(self) -> Panel:
        return self._panels.fresh or self._panels.free

    def _names(self) -> set[str]:
        return {panel_name(self._panel), *(judge.name for judge in self._panel.judges)}

    async def _items(self, version: GoldVersion) -> list[GoldItem] | None:
        """The frozen items; None, and an alert, where they are not what was frozen."""
        async with self._engine.begin() as connection:
            try:
                items = await gold.items_of(connection, version)
            except StoreError as exc:
                await report_tampering(connection, version, str(exc), now=utc_now())
                log.warning("gold.broken", version=version.version)
                return None
            return items

    async def _judged(self, items: Sequence[GoldItem]) -> tuple[list[GoldVerdict], Decimal]:
        """Verdicts on the items that the day's money allows, always the same first, and what they cost."""
        panel, name = self._panel, panel_name(self._panel)
        ordered = sorted(items, key=lambda item: item.key)
        found: list[GoldVerdict] = []
        total = Decimal(0)
        for start in range(0, len(ordered), _BATCH):
            batch = ordered[start : start + _BATCH]
            comparisons = [comparison_of(item) for item in batch]
            reservation = None
            if self._panels.fresh is not None:
                reservation = await self._reserved(self._panels.worst_case_usd(comparisons))
                if reservation is None:
                    log.warning("gold.budget", judged=start, of=len(ordered))
                    break
            judged = await panel.judge(comparisons)
            cost = sum((said.cost_usd for said in judged), Decimal(0))
            total += cost
            if reservation is not None:
                async with self._engine.begin() as connection:
                    await budgets.settle(connection, reservation, cost)
            for item, said in zip(batch, judged, strict=True):
                found += verdicts_of(item, said, panel=name)
        return found, total

    async def _reserved(self, worst_usd: Decimal) -> str | None:
        cap = Decimal(str(self._settings.labels.gold_budget_usd_per_day))
        async with self._engine.begin() as connection:
            return await budgets.reserve(connection, "gold", worst_usd, cap_usd=cap, now=utc_now())


def comparison_of(item: GoldItem) -> Comparison:
    """What judges are shown: never the truth."""
    return Comparison(
        prompt=item.prompt,
        answer=item.answer,
        reference=item.reference,
        context=item.context,
        query_type=item.query_type,
    )


def panel_name(panel: Panel) -> str:
    """The panel with its judges and its calibration: another one of either is another judge, with a first run of its own."""
    fitted = json.dumps(panel.calibration.to_json(), sort_keys=True, default=str)
    print_ = hashlib.sha256(f"{fitted} {panel.thresholds}".encode()).hexdigest()[:8]
    return f"{panel.name} of {', '.join(judge.name for judge in panel.judges)} ({print_})"


def verdicts_of(item: GoldItem, said: PanelJudgment, *, panel: str) -> list[GoldVerdict]:
    """The panel's verdict and each judge's. Whoever could not be reached has said nothing: that is no abstention.

    Where a judge could not be reached the panel's verdict is not that of the whole panel, and is left out as well.
    """
    heard = [judgment for judgment in said.judgments if not judgment.rationale.startswith(_UNAVAILABLE)]
    found = [
        GoldVerdict(
            judge=judgment.judge,
            item_id=item.item_id,
            verdict=judgment.verdict,
            score=judgment.score,
            orders_agree=_orders_agree(judgment),
        )
        for judgment in heard
    ]
    if len(heard) < len(said.judgments):
        return found
    whole = GoldVerdict(judge=panel, item_id=item.item_id, verdict=said.verdict, score=said.probability)
    return [whole, *found]


def _orders_agree(judgment: Judgment) -> bool | None:
    """Whether a judge that is asked in both orders said the same in both; None where it is none, or was not heard in both."""
    if judgment.judge != PAIRWISE:
        return None
    return True if judgment.verdict != "abstain" else False if ORDERS_DISAGREE in judgment.rationale else None
