"""What does the configuration say about who is told what is wrong, and how? The section `alerts`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from shadow.alerting.kinds import RUNBOOKS
from shadow.alerting.telling import Severity
from shadow.configuration.alarms import AlarmSettings
from shadow.configuration.quality import Section
from shadow.configuration.watch import WatchSettings
from shadow.configuration.weekly import WeeklySettings

Occasion = Literal["opened", "raised", "resolved", "report"]


class ChannelSettings(Section):
    """Where messages go: a URL of the library apprise, as in `slack://...`, `mailtos://...`, `jsons://host/path`."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="What deliveries are recorded under.")
    url_env: str | None = Field(
        None, description="Environment variable that holds the URL. For every URL with a secret in it."
    )
    url: str | None = Field(None, repr=False, description="The URL itself, where it holds no secret.")
    min_severity: Severity = Field("warning", description="Alerts below it are not sent here; reports always are.")
    occasions: tuple[Occasion, ...] = Field(
        ("opened", "raised", "resolved", "report"),
        description="What is sent here: alerts that open, that become more severe, that are over, and reports.",
    )

    @field_validator("url")
    @classmethod
    def _holds_no_password(cls, url: str | None) -> str | None:
        if url is not None and re.match(r"^[^/]*://[^/@]*:[^/@]*@", url):
            raise ValueError("holds a password; put the URL into an environment variable and name it in url_env")
        return url

    @model_validator(mode="after")
    def _has_one_url(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("give one of url_env and url")
        return self

    def resolved(self, environ: Mapping[str, str]) -> str | None:
        """The URL in force; None where the environment lacks it. Never log it."""
        return self.url if self.url_env is None else environ.get(self.url_env) or None


class AlertSettings(Section):
    """Who is told what is wrong."""

    notify: tuple[ChannelSettings, ...] = Field((), description="Channels; none: alerts are shown in the console only.")
    public_url: str | None = Field(
        None, description="Address of the console as its readers reach it, for links in messages; null: no links."
    )
    alarms: AlarmSettings = Field(default_factory=AlarmSettings, description="Bars of the other alarms.")
    send_every_seconds: float = Field(10.0, gt=0, le=3600, description="How often the scheduler sends what is due.")
    watch: WatchSettings = Field(default_factory=WatchSettings, description="Alarms between reports.")
    weekly: WeeklySettings = Field(default_factory=WeeklySettings, description="The report of what got worse.")

    runbook_url: str = Field(
        RUNBOOKS, description="Page that messages and Grafana's rules link to, with an anchor per kind of alert."
    )

    @field_validator("public_url", "runbook_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is not None and not re.match(r"^https?://[^\s/?#]+[^\s?#]*$", url):
            raise ValueError("must be an http:// or https:// address without query, as in https://shadow.example.org")
        return url.rstrip("/") if url is not None else None

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [channel.name for channel in self.notify]
        if len(names) != len(set(names)):
            raise ValueError("notify: every channel needs a name of its own")
        return self
