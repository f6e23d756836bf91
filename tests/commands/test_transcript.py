"""The transcript as lines, and as a live screen driven by a call's own clock."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.text import Text

from tests.doubles.recorded_call import RecordedCall, Took, booking
from voicebot import clock, events
from voicebot.commands import waterfall
from voicebot.commands.live import LiveTranscript
from voicebot.commands.terminal import THEME, Screen
from voicebot.commands.transcript import Transcript
from voicebot.latency import waterfalls


def screen(*, terminal: bool = False, width: int = 110, quiet: bool = False) -> Screen:
    made = Screen(quiet=quiet)
    made.out = Console(file=io.StringIO(), force_terminal=terminal, width=width, theme=THEME, highlight=False)
    made.live = terminal
    return made


def text_of(shown: Screen) -> str:
    assert isinstance(shown.out.file, io.StringIO)
    return shown.out.file.getvalue()


def transcript_of(happened: list[events.Event], **about: bool) -> list[str]:
    shown = screen()
    transcript = Transcript(shown, **about)
    for event in happened:
        transcript(event)
    return text_of(shown).splitlines()


def test_the_same_call_gives_the_same_lines() -> None:
    assert transcript_of(booking().events) == transcript_of(booking().events)


def test_a_remark_made_under_the_agents_speech_follows_its_words() -> None:
    lines = transcript_of(booking().events)
    sound = next(n for n, line in enumerate(lines) if "no interruption: the agent paused for 400 ms" in line)
    assert "Nine thirty it is." in lines[sound - 2]


def test_without_latency_only_words_and_tools_are_left() -> None:
    assert not any("v2v" in line for line in transcript_of(booking().events, latency=False))


def test_a_typing_caller_is_not_repeated() -> None:
    call = RecordedCall().turn("hi there", "Hello.", reason="typed")
    assert not any("hi there" in line for line in transcript_of(call.events, show_caller=False))


def test_a_sound_before_the_answer_does_not_make_the_turn_unanswered() -> None:
    """The engine counts a new turn at its first sound, and takes it back when it was a cough."""
    call = RecordedCall().turn("tuesday", "Fine.")
    ended = next(n for n, event in enumerate(call.events) if isinstance(event, events.TurnEnded))
    cough = events.CallerSpeechStarted(t_ms=call.events[ended].t_ms + 5, turn=2, speech_start_ms=1)
    lines = transcript_of([*call.events[: ended + 1], cough, *call.events[ended + 1 :]])
    assert not any("not answered" in line for line in lines)
    assert sum("v2v" in line for line in lines) == 1


def test_a_call_that_broke_off_in_mid_sentence_shows_what_was_begun() -> None:
    call = RecordedCall().greets("Hello. How can I help?")
    shown = screen()
    transcript = Transcript(shown)
    for event in call.events[:-1]:
        transcript(event)
    transcript.broke_off()
    transcript.note(2000, "cut off")
    assert text_of(shown).splitlines()[-2:] == [
        "00:00.0  agent   Hello. How can I help? …",
        "00:02.0          cut off",
    ]


def test_trouble_is_told_in_place() -> None:
    lines = transcript_of(
        [
            events.ProviderFailed(t_ms=900, kind="tts", provider="eleven", error="timeout", remedy="next provider"),
            events.AudioNotice(t_ms=950, kind="too_quiet", level=-51.3),
            events.HandedOver(t_ms=1000, to="reception", reason="asked for a person"),
            events.CallEnded(t_ms=2000, reason="failed", detail="it broke"),
        ]
    )
    assert lines == [
        "00:00.9          tts eleven failed: timeout -> next provider",
        "00:01.0          the caller is hard to hear, at -51 dB; nearer to the microphone, or more gain",
        "00:01.0          handed over to reception: asked for a person",
        "00:02.0          call ended: failed (it broke)",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 110, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    shown = screen(terminal=True, width=width)
    transcript = Transcript(shown)
    call = booking().turn("slow", "Yes.", took=Took(turn=9000))
    for event in call.events:
        transcript(event)
    shown.data(waterfall.report(waterfalls(call.events), shown.out))
    for fall in waterfalls(call.events):
        shown.data(waterfall.cascade(fall, shown.out))
    assert max(Text.from_ansi(line).cell_len for line in text_of(shown).splitlines()) <= width


def test_bars_have_one_scale_for_all_turns() -> None:
    quick, slow = waterfalls(RecordedCall().turn("a", "b").turn("a", "b", took=Took(turn=430)).events)
    cells = [waterfall.bar(fall, waterfall.MS_PER_CELL).cell_len for fall in (quick, slow)]
    assert cells[1] - cells[0] == pytest.approx(400 / waterfall.MS_PER_CELL, abs=1)


def moving(live: LiveTranscript) -> str:
    """What the moving part of the screen says now."""
    console = Console(file=io.StringIO(), width=110, theme=THEME)
    console.print(live)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def watch(happened: list[events.Event], at_ms: dict[float, Callable[[LiveTranscript], None]]) -> Screen:
    """Play the events on their own clock into a live screen, and look at it at the given moments."""

    async def play() -> Screen:
        shown = screen(terminal=True)
        with LiveTranscript(shown) as live:
            began = asyncio.get_running_loop().time()
            steps = [(event.t_ms, event) for event in happened] + [(t_ms + 0.5, look) for t_ms, look in at_ms.items()]
            for t_ms, step in sorted(steps, key=lambda pair: pair[0]):
                await asyncio.sleep(max(0.0, began + t_ms / 1000 - asyncio.get_running_loop().time()))
                step(live) if callable(step) else live(step)
        return shown

    return clock.run(play(), skip_idle=True)


def test_interim_words_show_while_the_caller_speaks_and_settle_when_the_turn_ends() -> None:
    looked = []

    def look(live: LiveTranscript) -> None:
        looked.append(moving(live))

    happened: list[events.Event] = [
        events.CallerSpeechStarted(t_ms=100, turn=1, speech_start_ms=0),
        events.TranscriptInterim(t_ms=400, turn=1, text="i would"),
        events.TranscriptFinal(t_ms=900, turn=1, text="i would like"),
        events.TranscriptInterim(t_ms=1200, turn=1, text="a clean"),
        events.TurnEnded(
            t_ms=2000, turn=1, text="i would like a cleaning", reason="text", speech_end_ms=1800, decided_ms=2000
        ),
    ]
    shown = watch(happened, {500: look, 1300: look, 2100: look})
    assert "i would" in looked[0]
    assert "i would like a clean" in looked[1]
    assert "i would" not in looked[2]
    assert "caller i would like a cleaning" in text_of(shown).replace("\x1b[0m", "").replace("\x1b[1;32m", "")


def test_the_agents_clauses_appear_when_they_are_heard_not_when_they_are_made() -> None:
    looked = []

    def look(live: LiveTranscript) -> None:
        looked.append(moving(live))

    happened: list[events.Event] = [
        events.AgentSpeechStarted(t_ms=100),
        events.AgentSaying(t_ms=100, text="Hello.", starts_ms=100, ends_ms=700),
        events.AgentSaying(t_ms=120, text="How can I help?", starts_ms=700, ends_ms=1500),
        events.AgentSpeechStopped(
            t_ms=1500, heard="Hello. How can I help?", said="Hello. How can I help?", interrupted=False
        ),
    ]
    watch(happened, {400: look, 800: look, 1600: look})
    assert "Hello." in looked[0]
    assert "How can" not in looked[0]
    assert "Hello. How can I help?" in looked[1]
    assert "Hello" not in looked[2]


def test_a_clause_that_was_cut_off_never_appears() -> None:
    looked = []
    happened: list[events.Event] = [
        events.AgentSpeechStarted(t_ms=0),
        events.AgentSaying(t_ms=0, text="On Tuesday", starts_ms=0, ends_ms=700),
        events.AgentSaying(t_ms=0, text="or on Friday", starts_ms=700, ends_ms=1500),
        events.BargeIn(t_ms=500, heard="On"),
        events.AgentSpeechStopped(t_ms=500, heard="On", said="On Tuesday or on Friday", interrupted=True),
    ]
    watch(happened, {900: lambda live: looked.append(moving(live))})
    assert "Friday" not in looked[0]


def test_a_live_screen_leaves_the_same_words_as_plain_lines() -> None:
    happened = booking().events
    shown = watch(happened, {})
    words = " ".join(Text.from_ansi(text_of(shown)).plain.split())
    for line in transcript_of(happened, latency=False):
        assert " ".join(line.split()) in words
