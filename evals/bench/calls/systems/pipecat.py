"""Pipecat 1.14 as its documentation builds a telephone agent, with stub providers.

The pipeline, the aggregators, the worker and its parameters are those of Pipecat's own example
(examples/getting-started/06-voice-agent.py) and of the telephony template of its CLI: 8 kHz both ways, Silero VAD, the
default turn strategies (VAD and Smart Turn v3), default observers, metrics on. What differs: the providers are stubs,
the serializer does not hang up through Twilio's REST API, and logging is off (Pipecat's runner logs at DEBUG).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import fields
from typing import Any

from fastapi import FastAPI, WebSocket
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMRunFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner

from voicebot.evals.bench.calls import stubs
from voicebot.evals.bench.calls.systems.serving import serve

app = FastAPI()


class StubSTT(STTService):
    """Hears the same sentence each time, final as soon as the VAD reports the end of speech."""

    def __init__(self) -> None:
        super().__init__(settings=STTSettings(model=None, language=None))

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        yield None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            await self.push_frame(TranscriptionFrame(stubs.HEARD, "", time_now_iso8601(), finalized=True))


class StubLLM(LLMService[Any]):
    """Streams the same reply each time, at once."""

    def __init__(self) -> None:
        unset: dict[str, Any] = {field.name: None for field in fields(LLMSettings) if field.name != "extra"}
        super().__init__(settings=LLMSettings(**unset))

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        for token in stubs.reply_tokens():
            await self.push_frame(LLMTextFrame(token))
        await self.push_frame(LLMFullResponseEndFrame())


class StubTTS(TTSService):
    """Speaks tones, at once, in chunks of the size Pipecat recommends."""

    def __init__(self) -> None:
        settings = TTSSettings(model=None, voice=None, language=None)
        super().__init__(push_start_frame=True, push_stop_frames=True, settings=settings)

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        pcm = stubs.speak(text)
        for start in range(0, len(pcm), self.chunk_size):
            yield TTSAudioRawFrame(pcm[start : start + self.chunk_size], self.sample_rate, 1, context_id=context_id)


@app.websocket("/ws")
async def call(websocket: WebSocket) -> None:
    """One call over Twilio Media Streams."""
    await websocket.accept()
    _, call_data = await parse_telephony_websocket(websocket)
    serializer = TwilioFrameSerializer(
        stream_sid=call_data["stream_id"],
        call_sid=call_data["call_id"],
        params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
    )
    transport = FastAPIWebsocketTransport(
        websocket=websocket,
        params=FastAPIWebsocketParams(audio_in_enabled=True, audio_out_enabled=True, serializer=serializer),
    )
    await run_bot(transport)


async def run_bot(transport: FastAPIWebsocketTransport) -> None:
    context = LLMContext()
    user_aggregator, assistant_aggregator = LLMContextAggregatorPair(
        context, user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    pipeline = Pipeline(
        [
            transport.input(),
            StubSTT(),
            user_aggregator,
            StubLLM(),
            StubTTS(),
            transport.output(),
            assistant_aggregator,
        ]
    )
    worker = PipelineWorker(
        pipeline,
        params=PipelineParams(
            audio_in_sample_rate=stubs.RATE_HZ,
            audio_out_sample_rate=stubs.RATE_HZ,
            enable_metrics=True,
            enable_usage_metrics=True,
        ),
    )

    async def on_client_connected(_transport: object, _client: object) -> None:
        context.add_message({"role": "developer", "content": "Please introduce yourself to the user."})
        await worker.queue_frames([LLMRunFrame()])

    async def on_client_disconnected(_transport: object, _client: object) -> None:
        await worker.cancel()

    transport.add_event_handler("on_client_connected", on_client_connected)
    transport.add_event_handler("on_client_disconnected", on_client_disconnected)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


if __name__ == "__main__":
    serve(app)
