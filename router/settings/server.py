"""Where may the processes listen?"""

from __future__ import annotations

from pydantic import Field

from router.settings.values import Strict


class ServerSettings(Strict):
    """Where to listen."""

    host: str = Field(
        "127.0.0.1",
        description="Address of router and console. Beyond loopback the router wants SHADOW_API_KEYS, the console a token.",
    )
    port: int = Field(8080, ge=1, le=65535, description="Port of the router.")
    control_port: int = Field(8081, ge=1, le=65535, description="Port of the console and the control API.")
    control_hosts: tuple[str, ...] = Field(
        (), description="Other host names by which browsers reach the console: that of a proxy before it, say."
    )
    max_body_bytes: int = Field(10 * 1024 * 1024, ge=1024, description="A larger request body is a 413.")
