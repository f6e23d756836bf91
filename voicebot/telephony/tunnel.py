"""A public address for a server on this machine: ngrok, through the package pyngrok.

    tunnel = Tunnel(port, auth_token)
    url = await tunnel.open()       # "https://….ngrok-free.app"
    tunnel.ended                    # why its program is not there any more; "" while it runs
    await tunnel.open()             # once more, maybe at another address
    await tunnel.close()

The program ngrok is taken from the PATH; where there is none, pyngrok downloads it once. https://ngrok.com/docs/agent
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from voicebot.errors import MissingExtra, Unavailable

if TYPE_CHECKING:
    from pyngrok.conf import PyngrokConfig
    from pyngrok.log import NgrokLog
    from pyngrok.process import NgrokProcess

TOKEN: Final = "NGROK_AUTHTOKEN"  # noqa: S105 - the name of a setting, no secret
_INSTEAD = "or take a tunnel of your own: --url https://..."
_REMEDIES: Final = {
    "ERR_NGROK_4018": f"ngrok needs an account: set {TOKEN} in .env (dashboard.ngrok.com shows it), {_INSTEAD}",
    "ERR_NGROK_105": f"ngrok does not accept {TOKEN}: take it from dashboard.ngrok.com, {_INSTEAD}",
    "ERR_NGROK_107": f"ngrok does not accept {TOKEN}: take it from dashboard.ngrok.com, {_INSTEAD}",
    "ERR_NGROK_108": f"another ngrok agent of this account is running: end it, {_INSTEAD}",
    "ERR_NGROK_334": f"another tunnel of this account has that address already: end it, {_INSTEAD}",
}


class Tunnel:
    """One that leads to 127.0.0.1:`port`. Raises MissingExtra."""

    def __init__(self, port: int, auth_token: SecretStr | None = None) -> None:
        _quiet_log()
        self._port = port
        self._agent = _agent(auth_token, self._hear)
        self._program: NgrokProcess | None = None
        self._shaken = False

    async def open(self) -> str:
        """Its address; what was open before is closed. Raises Unavailable."""
        await self.close()
        self._shaken = False
        return await asyncio.to_thread(self._open)

    async def close(self) -> None:
        from pyngrok import ngrok

        self._program = None
        await asyncio.to_thread(ngrok.kill, self._agent)

    @property
    def ended(self) -> str:
        """Why ngrok is not there any more; '' while it runs."""
        code = self._program.proc.poll() if self._program else None
        return "" if code is None else f"ngrok has ended, with exit code {code}"

    def shaken(self) -> bool:
        """Whether ngrok has reported trouble with its session since this was asked last."""
        shaken, self._shaken = self._shaken, False
        return shaken

    def _hear(self, log: NgrokLog) -> None:
        """In a thread of pyngrok's."""
        if log.lvl in ("ERROR", "CRITICAL") and "session" in (log.msg or ""):
            self._shaken = True

    def _open(self) -> str:
        from pyngrok import ngrok
        from pyngrok.exception import PyngrokError

        try:
            with contextlib.redirect_stdout(sys.stderr):  # where pyngrok shows how far its download is
                self._program = ngrok.get_ngrok_process(self._agent)
                opened = ngrok.connect(f"127.0.0.1:{self._port}", "http", pyngrok_config=self._agent, schemes=["https"])
        except (PyngrokError, OSError) as error:
            raise Unavailable(_sentence(error)) from None
        return str(opened.public_url).rstrip("/")


def _agent(auth_token: SecretStr | None, hear: Callable[[NgrokLog], None]) -> PyngrokConfig:
    """In a session of its own: a Ctrl-C is for us, and the tunnel stays until we close it."""
    try:
        from pyngrok.conf import PyngrokConfig
    except ImportError as error:
        raise MissingExtra("The package pyngrok", "phone") from error
    return PyngrokConfig(
        ngrok_path=shutil.which("ngrok"),
        auth_token=auth_token.get_secret_value() if auth_token else None,
        start_new_session=True,
        log_event_callback=hear,
        config_version="2",  # which every agent understands that a user may have
    )


def _quiet_log() -> None:
    """What ngrok reports is told by whoever watches over the tunnel, and not by logging's last resort as well."""
    if not (log := logging.getLogger("pyngrok")).handlers:
        log.addHandler(logging.NullHandler())


def _sentence(error: Exception) -> str:
    """What ngrok says is many lines long, and the reason is a code in one of them."""
    said = " ".join(f"{error} {getattr(error, 'ngrok_error', '') or ''}".split())
    code = re.search(r"ERR_NGROK_\d+", said)
    if code and (remedy := _REMEDIES.get(code[0])):
        return f"no tunnel: {remedy} ({code[0]})."
    return f"no tunnel: ngrok did not start ({said[:200]}). See https://ngrok.com/docs/errors, {_INSTEAD}"
