"""What does the configuration say about alarms that need no statistics of quality? The part `alerts.alarms`."""

from __future__ import annotations

from pydantic import Field

from shadow.configuration.quality import Section


class AlarmSettings(Section):
    """Money, coverage, failures, backlogs: looked at after each roll-up."""

    budget_share: float = Field(
        0.8, gt=0, le=1, description="Share of a day's budget, spent or reserved, from which on it is told."
    )
    coverage: float = Field(
        0.95, gt=0, le=1, description="Share of samples with a verdict below which, proven, it is told."
    )
    failure_share: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Share of mirrors that fail, or of answers on which a judge is not reached, above which, proven, it is told.",
    )
    model_minutes: float = Field(
        10.0, gt=0, le=90, description="How long a model may answer nothing, while it is asked, before it is told."
    )
    backlog_minutes: float = Field(
        120.0, gt=0, le=2880, description="How long samples may wait for their mirrors or verdicts before it is told."
    )
    late_minutes: float = Field(
        15.0, gt=0, le=1440, description="How long a record may take from the router to the store before it is told."
    )
