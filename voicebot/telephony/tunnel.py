"""A public address for a server on this machine: ngrok, through the package pyngrok.

    async with tunnel(port, auth_token) as url: ...     # "https://….ngrok-free.app"

The program ngrok is taken from the PATH; where there is none, pyngrok downloads it once. https://ngrok.com/docs/agent
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from voicebot.errors import MissingExtra, Unavailable

if TYPE_CHECKING:
    from pyngrok.conf import PyngrokConfig

TOKEN: Final = "NGROK_AUTHTOKEN"  # noqa: S105 - the name of a setting, no secret
_INSTEAD = "or take a tunnel of your own: --url https://..."
_REMEDIES: Final = {
    "ERR_NGROK_4018": f"ngrok needs an account: set {TOKEN} in .env (dashboard.ngrok.com shows it), {_INSTEAD}",
    "ERR_NGROK_105": f"ngrok does not accept {TOKEN}: take it from dashboard.ngrok.com, {_INSTEAD}",
    "ERR_NGROK_107": f"ngrok does not accept {TOKEN}: take it from dashboard.ngrok.com, {_INSTEAD}",
    "ERR_NGROK_108": f"another ngrok agent of this account is running: end it, {_INSTEAD}",
    "ERR_NGROK_334": f"another tunnel of this account has that address already: end it, {_INSTEAD}",
}


@asynccontextmanager
async def tunnel(port: int, auth_token: SecretStr | None = None) -> AsyncIterator[str]:
    """The address that leads to 127.0.0.1:`port`; closed at the end. Raises Unavailable, MissingExtra."""
    try:
        from pyngrok import ngrok
    except ImportError as error:
        raise MissingExtra("The package pyngrok", "phone") from error
    agent = _agent(auth_token)
    try:
        yield await asyncio.to_thread(_open, port, agent)
    finally:
        await asyncio.to_thread(ngrok.kill, agent)


def _agent(auth_token: SecretStr | None) -> PyngrokConfig:
    """In a session of its own: a Ctrl-C is for us, and the tunnel stays until we close it."""
    from pyngrok.conf import PyngrokConfig

    return PyngrokConfig(
        ngrok_path=shutil.which("ngrok"),
        auth_token=auth_token.get_secret_value() if auth_token else None,
        start_new_session=True,
        config_version="2",  # which every agent understands that a user may have
    )


def _open(port: int, agent: PyngrokConfig) -> str:
    from pyngrok import ngrok
    from pyngrok.exception import PyngrokError

    try:
        with contextlib.redirect_stdout(sys.stderr):  # where pyngrok shows how far its download is
            opened = ngrok.connect(f"127.0.0.1:{port}", "http", pyngrok_config=agent, schemes=["https"])
    except (PyngrokError, OSError) as error:
        raise Unavailable(_sentence(error)) from None
    return str(opened.public_url).rstrip("/")


def _sentence(error: Exception) -> str:
    """What ngrok says is many lines long, and the reason is a code in one of them."""
    said = " ".join(f"{error} {getattr(error, 'ngrok_error', '') or ''}".split())
    code = re.search(r"ERR_NGROK_\d+", said)
    if code and (remedy := _REMEDIES.get(code[0])):
        return f"no tunnel: {remedy} ({code[0]})."
    return f"no tunnel: ngrok did not start ({said[:200]}). See https://ngrok.com/docs/errors, {_INSTEAD}"
