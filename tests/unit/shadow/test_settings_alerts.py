"""Channels of messages: one URL each, secrets by the environment only, and words for what is wrong."""

from __future__ import annotations

import pytest

from shadow.errors import ConfigError
from shadow.settings import Settings, parse


def configured(alerts: object) -> Settings:
    model = {"provider": "lab", "price": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}}
    content = {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [{"name": name, "models": [{**model, "model": f"{name}-1"}]} for name in ("fast", "frontier")],
        "routing": {"thresholds": {"fast": 0.8}},
        "alerts": alerts,
    }
    return parse(content, source="shadow.yaml")


def test_a_channel_has_its_url_from_the_environment_or_as_it_stands() -> None:
    settings = configured(
        {
            "notify": [{"name": "chat", "url_env": "CHAT_URL"}, {"name": "hook", "url": "json://127.0.0.1:9/x"}],
            "public_url": "https://shadow.example.org/",
        }
    ).alerts
    chat, hook = settings.notify
    assert chat.resolved({"CHAT_URL": "slack://a/b/c"}) == "slack://a/b/c"
    assert chat.resolved({}) is None
    assert hook.resolved({}) == "json://127.0.0.1:9/x"
    assert "127.0.0.1" not in repr(settings), "a URL is not printed with the settings"
    assert settings.public_url == "https://shadow.example.org"


@pytest.mark.parametrize(
    ("alerts", "said"),
    [
        ({"notify": [{"name": "a"}]}, "alerts.notify.0: give one of url_env and url"),
        ({"notify": [{"name": "a", "url": "x://y", "url_env": "Z"}]}, "alerts.notify.0: give one of url_env and url"),
        ({"notify": [{"name": "a", "url": "mailtos://me:hush@example.org"}]}, "put the URL into an environment"),
        ({"notify": [{"name": "a", "url": "x://y"}, {"name": "a", "url": "x://z"}]}, "a name of its own"),
        ({"public_url": "shadow.example.org"}, "alerts.public_url: must be an http"),
    ],
)
def test_a_wrong_channel_is_one_line_without_its_password(alerts: object, said: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        configured(alerts)
    assert said in str(refusal.value)
    assert "hush" not in str(refusal.value)
