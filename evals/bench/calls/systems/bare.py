"""The same models on the same wire with no framework at all: what the work itself costs.

One Silero session and one Smart Turn session for the process, as ONNX Runtime and Pipecat's own feature code run them,
called straight from the websocket handler. No pipeline, no queues, no record; whoever speaks clears the line, and every
silence is answered: not an agent, a floor.
"""

from __future__ import annotations

import asyncio
import base64
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import numpy.typing as npt
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams

from voicebot.evals.bench.calls import stubs
from voicebot.evals.bench.calls.systems.serving import serve
from voicebot.media import mulaw

_WINDOW = 256
_CONTEXT = 32
_CHUNK_BYTES = 800
"""100 ms of mu-law a message."""
_TURN_SAMPLES = 8 * stubs.RATE_HZ
"""What Smart Turn looks at."""
_RUN_UP_SAMPLES = round(0.7 * stubs.RATE_HZ)
"""What Pipecat gives Smart Turn from before the VAD was sure of speech."""
_PARAMS = VADParams()
_START_WINDOWS = round(_PARAMS.start_secs * stubs.RATE_HZ / _WINDOW)
_STOP_WINDOWS = round(_PARAMS.stop_secs * stubs.RATE_HZ / _WINDOW)
_THREADS = ThreadPoolExecutor(2)

_vad_session = SileroVADAnalyzer()._model.session
_smart_turn = LocalSmartTurnAnalyzerV3(sample_rate=stubs.RATE_HZ)
_smart_turn.set_sample_rate(stubs.RATE_HZ)


class Vad:
    """Silero with Pipecat's default timing, on its own state and a shared session."""

    def __init__(self) -> None:
        self.speaking = False
        self._state = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)
        self._left = np.zeros(0, np.float32)
        self._against = 0

    def turned(self, samples: npt.NDArray[np.float32]) -> bool:
        """True when speech began or ended within `samples`."""
        self._left = np.concatenate((self._left, samples))
        turned = False
        while len(self._left) >= _WINDOW:
            window, self._left = self._left[:_WINDOW], self._left[_WINDOW:]
            turned |= self._step(self._probability(window))
        return turned

    def _probability(self, window: npt.NDArray[np.float32]) -> float:
        row = np.concatenate((self._context, window))[np.newaxis]
        rate = np.array(stubs.RATE_HZ, np.int64)
        output, self._state = _vad_session.run(None, {"input": row, "state": self._state, "sr": rate})
        self._context = window[-_CONTEXT:]
        return float(output[0, 0])

    def _step(self, probability: float) -> bool:
        against = (probability >= _PARAMS.confidence) != self.speaking
        self._against = self._against + 1 if against else 0
        if self._against < (_STOP_WINDOWS if self.speaking else _START_WINDOWS):
            return False
        self._against = 0
        self.speaking = not self.speaking
        return True


class Bare:
    """One call over Twilio Media Streams."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._stream_sid = ""
        self._vad = Vad()
        self._turn = np.zeros(0, np.float32)
        self._answers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await self._websocket.accept()
        async for text in self._websocket.iter_text():
            message = json.loads(text)
            if message["event"] == "start":
                self._stream_sid = message["streamSid"]
                await self._speak(stubs.GREETING)
            elif message["event"] == "media":
                await self._hear(base64.b64decode(message["media"]["payload"]))
            elif message["event"] == "stop":
                return

    async def _hear(self, audio: bytes) -> None:
        samples = np.frombuffer(mulaw.decode(audio), np.int16).astype(np.float32) / np.float32(32768)
        self._turn = np.concatenate((self._turn[-self._kept :], samples))
        if not self._vad.turned(samples):
            return
        if self._vad.speaking:
            await self._send("clear")
        else:
            self._answers.add(task := asyncio.create_task(self._answer(self._turn)))
            task.add_done_callback(self._answers.discard)

    @property
    def _kept(self) -> int:
        """Samples kept for Smart Turn: the turn while the caller speaks, its run-up while they are silent."""
        return _TURN_SAMPLES if self._vad.speaking else _RUN_UP_SAMPLES

    async def _answer(self, turn: npt.NDArray[np.float32]) -> None:
        """Ask Smart Turn and speak, whatever it says: with no one to wait for more words, waiting is not an option."""
        await asyncio.get_running_loop().run_in_executor(_THREADS, _smart_turn._predict_endpoint, turn)
        with suppress(WebSocketDisconnect):
            await self._speak(stubs.REPLY)

    async def _speak(self, text: str) -> None:
        """Hand all of the reply over at once: Twilio buffers it."""
        audio = mulaw.encode(stubs.speak(text))
        for at in range(0, len(audio), _CHUNK_BYTES):
            payload = base64.b64encode(audio[at : at + _CHUNK_BYTES]).decode()
            await self._send("media", media={"payload": payload})

    async def _send(self, event: str, **content: object) -> None:
        await self._websocket.send_text(json.dumps({"event": event, "streamSid": self._stream_sid, **content}))


app = FastAPI()


@app.websocket("/ws")
async def call(websocket: WebSocket) -> None:
    with suppress(WebSocketDisconnect):
        await Bare(websocket).run()


if __name__ == "__main__":
    serve(app)
