"""Does each provider's endpoint answer, does it take our key, and does it know the models we name?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from router.dialects.known import dialect_named
from router.pool import DIALECTS
from router.settings import ProviderSettings
from shadow.doctor.configuration import usable_key, used_providers
from shadow.doctor.findings import Finding, bad, ok, warn
from shadow.settings import Settings

TIMEOUT_SECONDS = 5.0
_LISTED_AT_MOST = 3


async def providers(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Ask each endpoint for its list of models. Costs no tokens."""
    used = used_providers(settings)
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False) as client:
        asked = [
            _ask(client, name, provider, _models_at(settings, name), environ)
            for name, provider in settings.providers.items()
            if name in used
        ]
        found = list(await asyncio.gather(*asked))
    idle = [name for name in settings.providers if name not in used]
    return [*found, *(ok(f"provider {name}", "no tier uses it: not asked") for name in idle)]


def _models_at(settings: Settings, provider: str) -> list[str]:
    models = [entry.model for tier in settings.tiers for entry in tier.models if entry.provider == provider]
    models += [judge.model for judge in settings.judges.asked if judge.provider == provider]
    return list(dict.fromkeys(models))


async def _ask(
    client: httpx.AsyncClient,
    name: str,
    provider: ProviderSettings,
    models: Sequence[str],
    environ: Mapping[str, str],
) -> Finding:
    what, where = f"provider {name}", _place(provider.base_url)
    key = environ.get(provider.api_key_env or "", "")
    if provider.api_key_env and not usable_key(key):
        return bad(what, f"{where} was not asked: there is no usable key", f"set {provider.api_key_env}")
    headers = dialect_named(DIALECTS[provider.kind]).key_headers(key.strip() if provider.api_key_env else None)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS * 2):
            answer = await client.get(f"{provider.base_url}/models", headers=headers)
    except (httpx.TimeoutException, TimeoutError):
        return bad(what, f"{where} did not answer within {TIMEOUT_SECONDS:g} s", _WAY)
    except httpx.ConnectError:
        return bad(what, f"{where} cannot be reached", _WAY)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
        return bad(what, f"{where} did not answer properly ({type(exc).__name__})", _WAY)
    return _judged(what, where, provider, models, answer)


_WAY = "check base_url, and that this machine gets there (no proxy is used)"


def _judged(
    what: str, where: str, provider: ProviderSettings, models: Sequence[str], answer: httpx.Response
) -> Finding:
    status = answer.status_code
    if status in {401, 403}:
        if provider.api_key_env is None:
            return bad(what, f"{where} asks for a key (HTTP {status})", f"set providers.{what[9:]}.api_key_env")
        remedy = f"put a valid key into {provider.api_key_env}"
        return bad(what, f"{where} does not accept the key in {provider.api_key_env} (HTTP {status})", remedy)
    if 300 <= status < 400:
        return bad(what, f"{where} points elsewhere (HTTP {status})", "set base_url to the address it points to")
    if status >= 500:
        return bad(what, f"{where} is in trouble (HTTP {status})", "wait, or see the provider's status page")
    if status != 200:
        remedy = "if requests fail, too, check base_url: it ends with the version, /v1 for example"
        return warn(what, f"{where} answers, but lists no models (HTTP {status})", remedy)
    known = _ids(answer)
    missing = [model for model in models if model not in known]
    if known and missing:
        named = ", ".join(missing[:_LISTED_AT_MOST])
        return warn(what, f"{where} answers, but does not list {named}", "check the spelling of the model id")
    return ok(what, f"{where} answers" + (f", and lists {len(models)} of our models" if known else ""))


def _ids(answer: httpx.Response) -> set[str]:
    """The ids of an OpenAI list of models; empty where it is none."""
    try:
        body: Any = answer.json()
    except ValueError:
        return set()
    listed = body.get("data") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        return set()
    return {str(entry["id"]) for entry in listed if isinstance(entry, dict) and "id" in entry}


def _place(base_url: str) -> str:
    """The address without a user and password that somebody may have put into it."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
