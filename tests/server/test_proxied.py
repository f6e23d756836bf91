"""Who asks for a stream: the proxy's word counts where the proxy is one of ours, and nobody else's does."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from websockets.datastructures import Headers

from voicebot.server import proxied


@dataclass
class Asked:
    """As much of an upgrade as matters."""

    client: str
    headers: Headers = field(default_factory=Headers)


@pytest.mark.parametrize(
    ("trusted", "peer", "said", "client"),
    [
        ("127.0.0.1", "127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.7", "203.0.113.9"),
        ("10.0.0.0/8", "10.1.2.3", "203.0.113.7, 10.0.0.5", "203.0.113.7"),
        ("10.0.0.0/8", "10.1.2.3", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("*", "192.0.2.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "127.0.0.1", "", "127.0.0.1"),
    ],
)
async def test_a_proxy_of_ours_is_believed(
    monkeypatch: pytest.MonkeyPatch, trusted: str, peer: str, said: str, client: str
) -> None:
    monkeypatch.setattr(proxied, "_believe", ProxyHeadersMiddleware(proxied._nothing, trusted))
    headers = Headers({"X-Forwarded-For": said}) if said else Headers()
    assert await proxied.client_of(Asked(peer, headers)) == client  # type: ignore[arg-type] # all that is looked at


async def test_a_header_that_was_sent_twice_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxied, "_believe", ProxyHeadersMiddleware(proxied._nothing, "127.0.0.1"))
    headers = Headers()
    headers["X-Forwarded-For"] = "203.0.113.7"
    headers["X-Forwarded-For"] = "203.0.113.8"
    assert await proxied.client_of(Asked("127.0.0.1", headers)) == "127.0.0.1"  # type: ignore[arg-type] # all it asks
