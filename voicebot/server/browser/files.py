"""The page and the script tag, with the headers that keep a page to itself.

No third party's host, no inline script or style: the strictest policy there is (CSP 3) with the page's own files.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from importlib import resources
from string import Template

from starlette.responses import Response

from voicebot.server.rest.problems import not_found

_PARTS = {
    "talk.css": "text/css",
    "talk.js": "text/javascript",
    "call.js": "text/javascript",
    "view.js": "text/javascript",
    "quality.js": "text/javascript",
}
_CACHED = "public, max-age=300"


def page(agent: str, name: str, embed_origins: Sequence[str]) -> Response:
    """`name` is the agent's, or '' when it is not told."""
    html = Template(_text("talk.html")).substitute(agent=escape(agent), name=escape(name or "the agent"))
    ancestors = " ".join(("'self'", *embed_origins)) if embed_origins else "'none'"
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        f"media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )
    return Response(
        html,
        media_type="text/html",
        headers={
            "Content-Security-Policy": policy,
            "Permissions-Policy": "microphone=(self), speaker-selection=(self), camera=(), geolocation=()",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def part(name: str) -> Response:
    """A file of the page."""
    if name not in _PARTS:
        raise not_found("There is nothing at this address.")
    return _file(name, _PARTS[name])


async def script() -> Response:
    """The script tag; any page may have it, and what it opens says who may open it."""
    return _file("embed.js", "text/javascript", {"Cross-Origin-Resource-Policy": "cross-origin"})


def _file(name: str, media_type: str, headers: dict[str, str] | None = None) -> Response:
    safe = {"Cache-Control": _CACHED, "X-Content-Type-Options": "nosniff", **(headers or {})}
    return Response(_text(name), media_type=media_type, headers=safe)


@lru_cache(maxsize=16)
def _text(name: str) -> str:
    return resources.files("voicebot.server.browser.page").joinpath(name).read_text(encoding="utf-8")
