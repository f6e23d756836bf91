"""One call made by hand, and every figure of it worked out beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from tests.doubles.measured_call import CASE, channel, trial
from voicebot import events
from voicebot.errors import BadInput
from voicebot.evals import scores
from voicebot.evals.measures import Measures, Rate
from voicebot.evals.trial import Trial
from voicebot.personas.truth import Sound

CALLER = [(2000, 3000), (6500, 7500), (11_000, 12_000)]
AGENT = [(0, 1500), (4000, 7000), (8500, 10_000), (12_800, 15_000)]
SOUNDS = [
    Sound(kind="speech", starts_ms=2000, ends_ms=3000, text="I need a cleaning"),
    Sound(kind="cough", starts_ms=4500, ends_ms=4700),
    Sound(kind="speech", starts_ms=6500, ends_ms=7500, text="on Thursday", interrupts=True),
    Sound(kind="speech", starts_ms=11_000, ends_ms=12_000, text="no thank you"),
]


def reply(turn: int, t_ms: float, lag_ms: float) -> list[events.Event]:
    return [events.AgentSpeechStarted(t_ms=t_ms, lag_ms=lag_ms, turn=turn)]


def said(turn: int, t_ms: float, text: str, *, interrupted: bool = False) -> events.Event:
    return events.AgentSpeechStopped(t_ms=t_ms, turn=turn, heard=text, said=text, interrupted=interrupted)


def turn(number: int, start_ms: float, end_ms: float, text: str, decided_ms: float, t_ms: float) -> list[events.Event]:
    return [
        events.CallerSpeechStarted(t_ms=start_ms + 100, turn=number, speech_start_ms=start_ms),
        events.CallerSpeechStopped(t_ms=end_ms + 200, turn=number, speech_end_ms=end_ms),
        events.TranscriptFinal(t_ms=t_ms - 10, lag_ms=5, turn=number, text=text),
        events.TurnEnded(
            t_ms=t_ms, lag_ms=6, turn=number, text=text, reason="smart_turn", speech_end_ms=end_ms,
            decided_ms=decided_ms, decided_lag_ms=3,
        ),
    ]  # fmt: skip


EVENTS: list[events.Event] = [
    *reply(0, 0, 40),
    said(0, 1500, "Hello"),
    *turn(1, 2010, 3050, "i need a cleaning", 3250, 3300),
    events.ToolCalled(t_ms=3310, turn=1, id="1", name="slots", arguments={}),
    events.ToolReturned(t_ms=3600, turn=1, id="1", name="slots", ok=True, duration_ms=290),
    events.FirstToken(t_ms=3700, lag_ms=16, turn=1),
    events.FirstClause(t_ms=3750, lag_ms=16, turn=1),
    events.FirstAudio(t_ms=3900, lag_ms=26, turn=1),
    *reply(1, 4000, 50),
    events.AgentPaused(t_ms=4600, turn=1, speech_start_ms=4500),
    events.AgentResumed(t_ms=5100, turn=1),
    events.AgentPaused(t_ms=7000, lag_ms=20, turn=2, speech_start_ms=6510),
    events.BargeIn(t_ms=7100, turn=2, heard="Which"),
    said(1, 7100, "Which day", interrupted=True),
    *turn(2, 6510, 7550, "on thursday", 7750, 7800),
    *reply(2, 8500, 10),
    said(2, 10_000, "At ten?"),
    *turn(3, 11_010, 12_050, "thank you", 12_250, 12_300),
    *reply(3, 12_800, 0),
    said(3, 15_000, "Anything else?"),
    events.CallEnded(t_ms=16_000, reason="caller_hung_up"),
]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Measures:
    agent = channel(AGENT, 16_000)
    agent[8 * 4600 : 8 * 5100] = 0  # it hesitated at the cough
    folder = tmp_path_factory.mktemp("call")
    return scores.measure(trial(folder, EVENTS, SOUNDS, channel(CALLER, 16_000), agent))


def test_v2v_inside_is_first_audio_less_end_of_speech_with_the_lag(figures: Measures):
    # 4000 + 50 - 3050; 8500 + 10 - 7550; 12800 - 12050
    assert figures.v2v_ms == pytest.approx([1000, 960, 750])
    assert figures.greeting_ms == [40]


def test_v2v_outside_is_onset_less_offset_on_the_recording_with_the_lag(figures: Measures):
    # the hum of the caller is audible a few ms less long than its span: it fades out
    # 4000 + 50 - 3000; 8500 + 10 - 7500; 12800 - 12000
    assert figures.v2v_outside_ms == pytest.approx([1050, 1010, 800], abs=12)


def test_stages_of_the_first_turn(figures: Measures):
    # from 3050: 3250 silence 200 | decided 3250 + 3: 3 | final 3290 + 5: 42 | token 3716: 421 | clause 3766: 50
    # | audio 3926: 160 | heard 4050: 124
    names = ("silence", "turn", "stt", "brain", "clause", "voice", "playback")
    assert [figures.stages_ms[name][0] for name in names] == pytest.approx([200, 3, 42, 421, 50, 160, 124])
    assert figures.engine_ms[0] == pytest.approx(124)
    assert figures.stt_final_ms[0] == pytest.approx(3295 - 3050)
    assert figures.end_of_turn_ms[0] == pytest.approx(3253 - 3050)
    assert figures.ttft_ms == pytest.approx([3716 - 3306])
    assert figures.ttfa_ms == pytest.approx([3926 - 3766])


def test_turn_taking(figures: Measures):
    assert figures.responses == Rate(hits=3, n=3)
    assert figures.yields == Rate(hits=1, n=1)
    assert figures.yield_ms == pytest.approx([500 + 20], abs=12)  # 6500 -> 7000, and the lag at that moment
    assert figures.false_interruptions == Rate(hits=0, n=1)  # the cough: silent after 100 ms, and on after 500
    assert figures.hesitations == Rate(hits=1, n=1)
    assert figures.sounds == {"cough": Rate(hits=0, n=1)}
    assert figures.agent_interruptions == Rate(hits=0, n=3)
    assert figures.overlap_ms == pytest.approx(500, abs=12)


def test_turn_scores(figures: Measures):
    # turn 1: 1050 ms -> 1; turn 2 interrupted the agent, which yielded after 500 -> 1 - 500/2000; turn 3: 800 ms -> 1
    assert figures.turn_scores == pytest.approx([1, 0.75, 1], abs=0.01)


def test_the_ear(figures: Measures):
    # 4 + 2 + 3 words, "no" lost
    assert (figures.words, figures.substituted, figures.deleted, figures.inserted) == (9, 0, 1, 0)
    assert figures.utterance_wer == pytest.approx([0, 0, 1 / 3])
    assert figures.negation_flips == 1


def test_the_brain_and_the_cost(figures: Measures):
    assert figures.tools == figures.tools_done == Rate(hits=1, n=1)
    assert figures.repeated == Rate(hits=0, n=3)
    assert figures.cost_usd == 0
    assert (figures.turns, figures.call_s) == (3, 16)


def test_the_sound_has_no_faults(figures: Measures):
    assert (figures.dropouts, figures.clipped, figures.loops, figures.cut_offs) == (0, 0, 0, 0)


def test_an_agent_that_hangs_up_in_mid_word_is_a_cut_off(tmp_path: Path):
    told = [*reply(0, 0, 0), events.CallEnded(t_ms=1000, reason="agent_hung_up")]
    recorded = trial(tmp_path, told, [], channel([], 1000), channel([(0, 2000)], 2000)[:8000], ended="agent_hung_up")
    assert scores.measure(recorded).cut_offs == 1
    assert scores.measure(recorded.model_copy(update={"ended": "caller_hung_up"})).cut_offs == 0


def test_an_agent_that_talks_over_every_turn_is_counted_by_all_turns(tmp_path: Path):
    told = [*reply(1, 2500, 0), said(1, 8000, "well"), events.CallEnded(t_ms=9000, reason="caller_hung_up")]
    figures = scores.measure(
        trial(tmp_path, told, SOUNDS[:1], channel(CALLER[:1], 9000), channel([(2500, 8000)], 9000))
    )
    assert figures.responses == Rate(hits=0, n=0)
    assert figures.agent_interruptions == Rate(hits=1, n=1)
    # 500 ms over the caller: 0.5 * (1 - 500/2000)
    assert figures.turn_scores == pytest.approx([0.375], abs=0.01)


def test_a_silent_agent_scores_nothing(tmp_path: Path):
    told = [events.CallEnded(t_ms=12_000, reason="caller_hung_up")]
    figures = scores.measure(trial(tmp_path, told, SOUNDS[:1], channel(CALLER[:1], 12_000), channel([], 12_000)))
    assert figures.responses == Rate(hits=0, n=1)
    assert figures.turn_scores == [0]
    assert figures.utterance_wer == [1]


@pytest.mark.parametrize(
    ("clock", "stt", "model", "repeatable"),
    [
        ("skip-idle", "sphinx", False, True),
        ("real", "sphinx", False, False),
        ("skip-idle", "deepgram/nova-3", False, False),
        ("skip-idle", "sphinx", True, False),
    ],
)
def test_a_call_repeats_itself_when_nothing_in_it_has_chance(
    tmp_path: Path, clock: Literal["real", "skip-idle"], stt: str, model: bool, repeatable: bool
):
    told: list[events.Event] = [
        events.CallStarted(
            t_ms=0, call_id="1", agent="Ava", agent_sha256="", started_at="", transport="link", rate_hz=16000,
            clock=clock, stt=stt, tts="espeak",
        )
    ]  # fmt: skip
    if model:
        told.append(events.ModelUsed(t_ms=1, provider="llama/x", input_tokens=1, output_tokens=1, cost_usd=0.0))
    assert scores.measure(trial(tmp_path, told)).repeatable is repeatable


def test_a_trial_without_a_record_has_no_figures():
    assert scores.measure(Trial(case=CASE)) == Measures()


def test_a_conversation_in_writing_has_answers_and_no_ear(tmp_path: Path):
    typed = trial(tmp_path, EVENTS, SOUNDS)
    figures = scores.measure(typed.model_copy(update={"case": CASE.model_copy(update={"channel": "text"})}))
    assert figures.responses == Rate(hits=3, n=3)
    assert (figures.words, figures.utterance_wer, figures.turn_scores, figures.yields.n) == (0, [], [], 0)
    assert figures.v2v_ms == pytest.approx([1000, 960, 750])


def test_a_recording_of_one_channel_is_bad_input(tmp_path: Path):
    import soundfile

    recorded = trial(tmp_path, EVENTS, SOUNDS)
    soundfile.write(tmp_path / "call.wav", np.zeros(8000, np.int16), 8000)
    with pytest.raises(BadInput, match="two: caller and agent"):
        scores.measure(recorded)


def test_without_truth_nothing_is_said_about_turn_taking(tmp_path: Path):
    figures = scores.measure(trial(tmp_path, EVENTS))
    assert figures.v2v_ms == pytest.approx([1000, 960, 750])
    assert figures.responses == figures.yields == Rate()
    assert figures.words == 0
