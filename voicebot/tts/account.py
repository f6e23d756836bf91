"""An ElevenLabs account: the voices in it, and new ones made of samples.

Protocol: https://elevenlabs.io/docs/api-reference/voices/search and .../voices/ivc/create
"""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from voicebot import config
from voicebot.connections import shared
from voicebot.errors import Unavailable
from voicebot.tts import library
from voicebot.tts.elevenlabs import KEY, SERVER, new_http, told
from voicebot.tts.library import Gender, Listed
from voicebot.tts.pieces import speakable

MODEL = "flash-v2.5"
"""The model that listed and new voices are named with; any other can speak with them too."""
LIMIT_S = 6.0
"""How long the list may take."""
_SEND_S = 180
_PAGE, _PAGES = 100, 10
_REFUSED = range(400, 500)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Refused(Unavailable):
    """Nothing was made: ElevenLabs said no, or was never reached."""


class Account:
    """The account of a key. `server` is another place that speaks the protocol."""

    def __init__(self, root: Path, server: str = "") -> None:
        key = config.key(KEY, root)
        self._key = key.get_secret_value() if key else ""
        self._server = server or SERVER

    async def voices(self) -> list[Listed]:
        """All voices of the account. Raises Unavailable, also when it takes too long."""
        try:
            return [_listed(voice) for voice in await asyncio.wait_for(self._all(), LIMIT_S)]
        except TimeoutError:
            raise Unavailable(f"ElevenLabs did not list its voices within {LIMIT_S:g} s.") from None
        except Exception as error:
            raise told(error) from error

    async def find(self, name: str) -> str:
        """The id of the voice with exactly this name; '' when there is none. Raises Unavailable."""
        try:
            found = await asyncio.wait_for(self._all(search=name), LIMIT_S)
        except TimeoutError:
            raise Unavailable(f"ElevenLabs did not answer within {LIMIT_S:g} s.") from None
        except Exception as error:
            raise told(error) from error
        return next((str(voice.voice_id) for voice in found if voice.name == name), "")

    async def create(self, name: str, samples: Iterable[Path]) -> tuple[str, bool]:
        """An instant clone -> (its id, whether ElevenLabs wants to verify it first). It is asked for once, never again.

        Raises Refused when nothing was made, Unavailable when that is not known.
        """
        files = [(path.name, path.read_bytes(), mimetypes.guess_type(path.name)[0] or "audio/wav") for path in samples]
        try:
            made = await (await self._client()).voices.ivc.create(
                name=name,
                files=files,
                labels={},
                request_options={"max_retries": 0, "timeout_in_seconds": _SEND_S},
            )
        except Exception as error:
            sentence = f"{told(error)}{_reason(error)}"
            if getattr(error, "status_code", None) in _REFUSED or isinstance(error, _NOT_SENT):
                raise Refused(sentence) from error
            raise Unavailable(sentence) from error
        if not getattr(made, "voice_id", ""):
            raise Unavailable("ElevenLabs' answer names no voice.")
        return str(made.voice_id), bool(getattr(made, "requires_verification", False))

    async def _all(self, **query: Any) -> list[Any]:
        client, page = await self._client(), ""
        found: list[Any] = []
        for _ in range(_PAGES):
            more = {"next_page_token": page} if page else {}
            answer = await client.voices.search(page_size=_PAGE, request_options={"max_retries": 0}, **query, **more)
            found += answer.voices
            page = (answer.next_page_token or "") if answer.has_more else ""
            if not page:
                break
        return found

    async def _client(self) -> Any:
        from elevenlabs.client import AsyncElevenLabs

        return AsyncElevenLabs(api_key=self._key, base_url=self._server, httpx_client=await shared(new_http))


def named(voice: str) -> str:
    """A voice of an account, by name or id, as an agent file names it."""
    return f"elevenlabs/{MODEL}:{voice}"


def _listed(voice: Any) -> Listed:
    labels = {str(key): str(value).lower() for key, value in (voice.labels or {}).items()}
    languages = [each.locale or each.language for each in voice.verified_languages or ()]
    language = (labels.get("language") or next(iter(languages), "") or "").lower().replace("_", "-")
    gender: Gender = "female" if labels.get("gender") == "female" else "male" if labels.get("gender") == "male" else ""
    full = speakable(voice.name or "")
    short = full.partition(" - ")[0].strip().lower()
    name = short if short and " " not in short and ":" not in short else voice.voice_id
    what = " ".join(part for part in (full, labels.get("accent", ""), str(voice.category or "")) if part)
    price = library.usd("elevenlabs", MODEL)
    return Listed(named(name), "elevenlabs", language, gender, what, local=False, usd=price)


def _reason(error: Exception) -> str:
    """What the server says about it, for a person."""
    body = getattr(error, "body", None)
    detail = body.get("detail") if isinstance(body, dict) else None
    message = detail.get("message") if isinstance(detail, dict) else None
    return f" It says: {speakable(message)[:200]}" if isinstance(message, str) and message else ""
