"""ElevenLabs: `elevenlabs/flash-v2.5:rachel`, that is model:voice, a voice by its name or its id.

A clause is known as a whole before it is asked for, so each is one streamed request with the times of its letters; the
websocket that takes text in pieces would only wait longer for its first audio.
Protocol: https://elevenlabs.io/docs/api-reference/text-to-speech/stream-with-timestamps
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import httpx

from voicebot import config
from voicebot.agent import Agent
from voicebot.connections import shared
from voicebot.errors import BadInput, Unavailable, did_you_mean
from voicebot.tts import Speech, Word

KEY = "ELEVENLABS_API_KEY"
RATE_HZ = 16000
DEFAULT_VOICE = "Rachel"
_SLOWEST, _FASTEST = 0.7, 1.2
_COMPLETE = 0.7
"""A sentence of which less than this share of its letters came was broken off."""
_ID = re.compile(r"[A-Za-z0-9]{20}")
SERVER = "https://api.elevenlabs.io"


def connect(agent: Agent, model: str) -> ElevenLabs:
    """For `voicebot.providers`. `model` is 'flash-v2.5:rachel'."""
    key = config.key(KEY, agent.root)
    name, _, voice = model.partition(":")
    speed = min(_FASTEST, max(_SLOWEST, agent.voice.speed))
    manner: dict[str, float] = {str(name): value for name, value in agent.voice.manner.items()}
    if speed != 1:
        manner["speed"] = speed
    secret = key.get_secret_value() if key else ""
    return ElevenLabs(name, voice or DEFAULT_VOICE, secret, agent.language, manner=manner)


class ElevenLabs:
    """A `TTS`. `server` is another place that speaks the protocol; `manner` are ElevenLabs' voice settings."""

    def __init__(
        self,
        model: str,
        voice: str,
        key: str,
        language: str,
        server: str = SERVER,
        manner: Mapping[str, float] | None = None,
    ) -> None:
        self.name = f"elevenlabs/{model}:{voice}"
        self._model = "eleven_" + re.sub(r"[-.]", "_", model.removeprefix("eleven_"))
        self._voice = voice
        self._manner = manner or {}
        self._key = key
        self._language = language.partition("-")[0]
        self._server = server
        self._voice_id = voice if _ID.fullmatch(voice) else ""

    async def load(self) -> None:
        """Import the SDK, open a connection, find the voice by its name. Raises BadInput, Unavailable."""
        await asyncio.get_running_loop().run_in_executor(None, _import_sdk)
        if not self._voice_id:
            self._voice_id = await self._find_voice()

    async def _find_voice(self) -> str:
        voices = (await self._client()).voices
        try:
            found = (await voices.search(search=self._voice, page_size=100)).voices
            names = {voice.name: voice.voice_id for voice in found if voice.name}
            for name, voice_id in names.items():  # 'Rachel' or 'Rachel - calm and clear'
                if name.lower() == self._voice.lower() or name.lower().startswith(f"{self._voice.lower()} "):
                    return str(voice_id)
            others = [voice.name for voice in (await voices.search(page_size=100)).voices if voice.name]
        except Exception as error:
            raise told(error) from error
        raise BadInput(f"ElevenLabs has no voice '{self._voice}' for this key.{did_you_mean(self._voice, others)}")

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        """Chunks as they come, with the times of their words."""
        letters = _Letters()
        try:
            async for chunk in await self._request(text):
                pcm = base64.b64decode(chunk.audio_base_64)
                words = letters.feed(chunk.alignment)
                if pcm or words:
                    yield Speech(pcm[: len(pcm) // 2 * 2], RATE_HZ, words)
            if words := letters.end():
                yield Speech(b"", RATE_HZ, words)
            if 0 < letters.heard < _COMPLETE * len("".join(text.split())):  # the SDK passes over what it cannot read
                raise Unavailable("ElevenLabs broke off in the middle of a sentence.")
        except Exception as error:
            raise told(error) from error

    async def _request(self, text: str) -> AsyncIterator[Any]:
        more: dict[str, Any] = {"language_code": self._language} if "multilingual" not in self._model else {}
        if self._manner:
            from elevenlabs.types import VoiceSettings

            more["voice_settings"] = VoiceSettings(**self._manner)
        stream: AsyncIterator[Any] = (await self._client()).text_to_speech.stream_with_timestamps(
            self._voice_id,
            text=text,
            model_id=self._model,
            output_format=f"pcm_{RATE_HZ}",
            **more,
        )
        return stream

    async def _client(self) -> Any:
        from elevenlabs.client import AsyncElevenLabs

        return AsyncElevenLabs(api_key=self._key, base_url=self._server, httpx_client=await shared(new_http))


class _Letters:
    """Makes words of letters that come in chunks, each with the time at which it sounds."""

    def __init__(self) -> None:
        self._word = ""
        self._start_ms = 0.0
        self.heard = 0
        """Letters so far."""

    def feed(self, alignment: Any) -> tuple[Word, ...]:
        words: list[Word] = []
        if alignment is None:
            return ()
        for letter, start_s in zip(alignment.characters, alignment.character_start_times_seconds, strict=False):
            if letter.isspace():
                words += self.end()
            else:
                self.heard += 1
                if not self._word:
                    self._start_ms = start_s * 1000
                self._word += letter
        return tuple(words)

    def end(self) -> tuple[Word, ...]:
        word, self._word = self._word, ""
        return (Word(word, self._start_ms),) if word else ()


def _import_sdk() -> None:
    import elevenlabs.client  # noqa: F401 - it takes a second, which no caller shall wait for


def new_http() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=30.0)


def told(error: Exception) -> BadInput | Unavailable:
    """As one sentence for a person, without the key."""
    if isinstance(error, BadInput | Unavailable):
        return error
    status = getattr(error, "status_code", None)
    if status in (401, 403):
        return Unavailable(f"ElevenLabs does not accept the key in {KEY}, or it may not do this.")
    if status == 429:
        return Unavailable("ElevenLabs refuses more requests for now (429).")
    if status:
        return Unavailable(f"ElevenLabs refuses the request ({status}).")
    if isinstance(error, httpx.HTTPError):
        return Unavailable(f"ElevenLabs cannot be reached: {type(error).__name__}.")
    if isinstance(error, binascii.Error | ValueError):
        return Unavailable("ElevenLabs sent something that is no audio.")
    return Unavailable(f"ElevenLabs failed: {type(error).__name__}.")
