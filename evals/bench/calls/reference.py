"""What Pipecat's own models make of a caller's audio: latency is counted from that, without asking what is measured."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np

from voicebot.evals.bench.calls.stubs import RATE_HZ

_FRAME = RATE_HZ // 50
_RUN_UP_S = 0.7
"""What Pipecat gives Smart Turn from before the VAD was sure of speech."""
_REST_S = 0.2
"""Between two questions: in a call the model is asked now and then, and its data is no longer in the caches."""


def vad_stops(pcm: bytes) -> list[float]:
    """Seconds at which Pipecat's Silero analyzer, with its default settings, reports the end of speech."""
    from pipecat.audio.vad.silero import SileroVADAnalyzer
    from pipecat.audio.vad.vad_analyzer import VADState

    analyzer = SileroVADAnalyzer()
    analyzer.set_sample_rate(RATE_HZ)
    stops, before = [], VADState.QUIET
    for at in range(0, len(pcm), 2 * _FRAME):
        # its public method does this on a thread of its own, once per frame: ten times slower here
        state = analyzer._run_analyzer(pcm[at : at + 2 * _FRAME])
        if before is VADState.STOPPING and state is VADState.QUIET:
            stops.append((at // 2 + _FRAME) / RATE_HZ)
        before = state
    return stops


def smart_turn_ms(pcm: bytes, turns: Iterable[tuple[float, float]]) -> float:
    """Wall time of one decision of the turn model with nothing around it; the median of `turns` (start, VAD stop) in
    seconds of `pcm`."""
    from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3

    analyzer = LocalSmartTurnAnalyzerV3(sample_rate=RATE_HZ)
    analyzer.set_sample_rate(RATE_HZ)
    samples = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768
    took_ms = []
    for start_s, stop_s in turns:
        heard = samples[max(0, round((start_s - _RUN_UP_S) * RATE_HZ)) : round(stop_s * RATE_HZ)]
        time.sleep(_REST_S)
        began = time.perf_counter()
        analyzer._predict_endpoint(heard)
        took_ms.append((time.perf_counter() - began) * 1000)
    return float(np.median(took_ms))
