from __future__ import annotations

import numpy as np
import pytest
from pipecat.audio.turn.smart_turn._whisper_features import compute_whisper_log_mel_features

from tests.doubles.spoken import speech
from voicebot.turns import smart_turn
from voicebot.turns.log_mel import SAMPLES, log_mel


@pytest.mark.parametrize("seconds", [0.02, 0.5, 1.0, 2.37, 5.0, 7.99, 8.0, 9.5])
def test_the_spectrogram_is_the_one_that_the_model_was_trained_on(seconds: float):
    random = np.random.default_rng(int(seconds * 100))
    length = int(seconds * 16000)
    samples = (random.normal(0, 0.05, length) * np.sin(np.arange(length) / 700)).astype(np.float32)
    whole = np.pad(samples[-SAMPLES:], (max(0, SAMPLES - length), 0))
    np.testing.assert_array_equal(log_mel(samples), compute_whisper_log_mel_features(whole, do_normalize=True))


def test_silence_has_a_spectrogram_too():
    assert np.isfinite(log_mel(np.zeros(16000, np.float32))).all()


async def test_a_sentence_sounds_more_finished_than_a_beginning():
    pause = bytes(6400)
    whole = await smart_turn.turn_complete(await speech("I would like to book an appointment.") + pause, 16000)
    begun = await smart_turn.turn_complete(await speech("I need a") + pause, 16000)
    assert begun < 0.3
    assert begun < whole


async def test_a_telephone_line_is_judged_too():
    pcm = await speech("My name is", 8000) + bytes(3200)
    assert await smart_turn.turn_complete(pcm, 8000) < 0.5


async def test_the_cheaper_softmax_judges_as_the_model_in_the_wheel_does_where_that_is_sure():
    from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3

    theirs = LocalSmartTurnAnalyzerV3(sample_rate=16000)
    theirs.set_sample_rate(16000)
    for text in ("Can I come at half past two", "What time", "Next Tuesday at ten.", "My name is"):
        pcm = await speech(text) + bytes(6400)
        samples = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768
        expected = theirs._predict_endpoint(samples)["probability"]
        ours = await smart_turn.turn_complete(pcm, 16000)
        assert (ours < 0.5) == (expected < 0.5)
        assert ours == pytest.approx(expected, abs=0.2)  # eSpeak's samples, and so both, differ from run to run
