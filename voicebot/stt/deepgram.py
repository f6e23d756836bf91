"""Deepgram: streaming speech to text over one websocket a call, kept open between the caller's utterances.

`deepgram/nova-3` and its relatives end an utterance with Finalize; `deepgram/flux-general-en` with ForceEndTurn, its
own end of turn switched off, since who may speak when is voicebot's business.
Protocol: https://developers.deepgram.com/docs/lower-level-websockets, https://developers.deepgram.com/docs/flux/state
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from voicebot import config
from voicebot.agent import Agent
from voicebot.errors import Unavailable
from voicebot.stt import STTStream, Transcript
from voicebot.stt.hints import likely_names

KEY = "DEEPGRAM_API_KEY"
KEEP_ALIVE_S = 4.0
"""Deepgram closes a connection on which nothing comes for ten seconds."""
SETTLE_S = 1.0
"""How long the last words of an utterance are waited for after it was ended; Deepgram is silent if it heard none."""
_QUEUE = 3000
"""Messages that may wait for the network: a minute of speech."""


def connect(agent: Agent, model: str) -> Deepgram:
    """For `voicebot.providers`."""
    key = config.key(KEY, agent.root)
    return Deepgram(model, key.get_secret_value() if key else "", agent.language, likely_names(agent))


class Deepgram:
    """An `STT`. `server` is another place that speaks the protocol, as wss://host or ws://host:port."""

    def __init__(self, model: str, key: str, language: str, terms: list[str], server: str | None = None) -> None:
        self.name = f"deepgram/{model}"
        self._model = model
        self._key = key
        self._language = language
        self._terms = terms
        self._server = server
        self._client: Any = None

    async def load(self) -> None:
        """Import the SDK, which takes a second."""
        if self._client is None:
            self._client = await asyncio.get_running_loop().run_in_executor(None, self._make_client)

    def _make_client(self) -> Any:
        from deepgram import AsyncDeepgramClient
        from deepgram.environment import DeepgramClientEnvironment

        if self._server is None:
            return AsyncDeepgramClient(api_key=self._key, reconnect=False)
        here = DeepgramClientEnvironment(
            base=self._server, production=self._server, agent=self._server, agent_rest=self._server
        )
        return AsyncDeepgramClient(api_key=self._key, environment=here, reconnect=False)

    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> STTStream:
        """Connects at once, so that the caller's first words do not wait for the handshake."""
        dialect: _Dialect
        if self._model.startswith("flux"):
            dialect = _Flux(self._client, self._model, self._language, self._terms, rate_hz)
        else:
            dialect = _Nova(self._client, self._model, self._language, self._terms, rate_hz)
        return _Stream(dialect, rate_hz, on_interim)


@dataclass
class _Piece:
    """What Deepgram says of a part of the audio."""

    start_s: float
    end_s: float
    text: str
    confidence: float | None
    final: bool
    ends: bool = False
    """It is the answer to the end of the utterance."""


class _Dialect(Protocol):
    def connect(self) -> AbstractAsyncContextManager[Any]: ...

    async def end(self, socket: Any) -> None:
        """Say that the utterance is over."""

    def keeps_alive(self) -> bool: ...

    def read(self, message: Any) -> _Piece | None:
        """Raises Unavailable for an error that Deepgram tells."""


@dataclass
class _Settings:
    client: Any
    model: str
    language: str
    terms: list[str]
    rate_hz: int


class _Nova(_Settings):
    """Deepgram's `v1/listen`."""

    def connect(self) -> AbstractAsyncContextManager[Any]:
        terms: dict[str, Any] = {"keyterm": self.terms} if self.terms and self.model.startswith("nova-3") else {}
        connection: AbstractAsyncContextManager[Any] = self.client.listen.v1.connect(
            model=self.model,
            language=self.language,
            encoding="linear16",
            sample_rate=str(self.rate_hz),
            channels="1",
            interim_results="true",
            smart_format="true",
            endpointing="false",
            **terms,
        )
        return connection

    async def end(self, socket: Any) -> None:
        await socket.send_finalize()

    def keeps_alive(self) -> bool:
        return True

    def read(self, message: Any) -> _Piece | None:
        if message.type == "Error":
            raise Unavailable(f"Deepgram failed: {message.description}")
        if message.type != "Results" or not message.channel.alternatives:
            return None
        best = message.channel.alternatives[0]
        ends = bool(message.from_finalize)
        end_s = message.start + message.duration
        return _Piece(message.start, end_s, best.transcript.strip(), best.confidence, bool(message.is_final), ends)


class _Flux(_Settings):
    """Deepgram's `v2/listen`: each message holds all of the turn so far."""

    def connect(self) -> AbstractAsyncContextManager[Any]:
        more: dict[str, Any] = {"keyterm": self.terms} if self.terms else {}
        if self.model.endswith("multi"):
            more["language_hint"] = [self.language.partition("-")[0]]
        connection: AbstractAsyncContextManager[Any] = self.client.listen.v2.connect(
            model=self.model,
            encoding="linear16",
            sample_rate=str(self.rate_hz),
            eot_threshold="1.0",
            eot_timeout_ms="60000",
            **more,
        )
        return connection

    async def end(self, socket: Any) -> None:
        await socket.send_force_end_turn()

    def keeps_alive(self) -> bool:
        return False

    def read(self, message: Any) -> _Piece | None:
        if message.type == "FatalError":
            raise Unavailable(f"Deepgram failed: {message.description}")
        if message.type != "TurnInfo":
            return None
        sure = [word.confidence for word in message.words]
        confidence = sum(sure) / len(sure) if sure else None
        over = message.event == "EndOfTurn"
        return _Piece(float(message.turn_index), message.audio_window_end, message.transcript, confidence, over, over)


@dataclass
class _Utterance:
    """A stretch of the caller's speech: what is known of its words."""

    since_s: float
    """Where in the audio sent on this connection it begins."""
    pieces: dict[float, _Piece] = field(default_factory=dict)
    """By their start, so that a piece that comes twice or late stands in its place."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, piece: _Piece) -> None:
        known = self.pieces.get(piece.start_s)
        if known is None or not known.final or piece.final:
            self.pieces[piece.start_s] = piece
        if piece.ends:
            self.ended.set()

    @property
    def text(self) -> str:
        return " ".join(piece.text for _, piece in sorted(self.pieces.items()) if piece.text)

    @property
    def confidence(self) -> float | None:
        sure = [piece.confidence for piece in self.pieces.values() if piece.text and piece.confidence is not None]
        return min(sure) if sure else None


class _Stream:
    """One call's `STTStream`. What fails on the connection is raised by the next `feed` or `finish`."""

    def __init__(self, dialect: _Dialect, rate_hz: int, on_interim: Callable[[str], None]) -> None:
        self._dialect = dialect
        self._rate_hz = rate_hz
        self._on_interim = on_interim
        self._sending: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUE)
        """Audio; None ends the utterance."""
        self._sent_s = 0.0
        self._utterance: _Utterance | None = None
        self._failure: Exception | None = None
        self._running = asyncio.get_running_loop().create_task(self._run(), name="deepgram")

    # -- an STTStream ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._check()
        self._utterance = _Utterance(self._sent_s)

    def feed(self, pcm: bytes) -> None:
        self._check()
        try:
            self._sending.put_nowait(pcm)
        except asyncio.QueueFull:
            raise Unavailable("Deepgram does not take the audio as fast as it is spoken.") from None
        self._sent_s += len(pcm) / 2 / self._rate_hz

    async def finish(self) -> Transcript:
        utterance = self._utterance
        assert utterance is not None, "finish follows start"
        self._check()
        self._sending.put_nowait(None)
        ended = asyncio.ensure_future(utterance.ended.wait())
        either: set[asyncio.Future[Any]] = {ended, self._running}
        await asyncio.wait(either, timeout=SETTLE_S, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        self._check()
        self._utterance = None
        return Transcript(utterance.text, utterance.confidence)

    def cancel(self) -> None:
        self._utterance = None
        with suppress(asyncio.QueueFull):
            self._sending.put_nowait(None)

    async def close(self) -> None:
        self._running.cancel()
        await asyncio.wait([self._running])

    def _check(self) -> None:
        if self._failure:
            raise self._failure

    # -- the connection ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            async with self._dialect.connect() as socket, asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(self._send(socket))
                await self._receive(socket)
                sender.cancel()
                raise Unavailable("Deepgram closed the connection.")
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises is told to whoever feeds or finishes
            self._failure = _told(error)

    async def _send(self, socket: Any) -> None:
        while True:
            try:
                pcm = await asyncio.wait_for(self._sending.get(), KEEP_ALIVE_S)
            except TimeoutError:
                if self._dialect.keeps_alive():
                    await socket.send_keep_alive()
                continue
            if pcm is None:
                await self._dialect.end(socket)
            else:
                await socket.send_media(pcm)

    async def _receive(self, socket: AsyncIterator[Any]) -> None:
        async for message in socket:
            if not hasattr(message, "type") or (piece := self._dialect.read(message)) is None:
                continue
            utterance = self._utterance
            if utterance is None or piece.end_s <= utterance.since_s:
                continue  # a late word on what has been answered
            before = utterance.text
            utterance.take(piece)
            if utterance.text != before:
                self._on_interim(utterance.text)


def _told(error: BaseException) -> Exception:
    """As one sentence for a person, without the key."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Unavailable):
        return error
    status = getattr(error, "status_code", None)
    if status in (401, 403):
        return Unavailable(f"Deepgram does not accept the key in {KEY}.")
    if status == 429:
        return Unavailable("Deepgram refuses more connections for now (429).")
    if status:
        return Unavailable(f"Deepgram refuses the connection ({status}).")
    return Unavailable(f"Deepgram cannot be reached: {type(error).__name__}.")
