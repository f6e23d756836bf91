"""The planted faults: each makes a good agent worse in one way, as a slip of the pen or a bad release would.

A fault is an edit of a copy of the dental template: of its tools, its agent file, or (for what no agent file can get
wrong) of the engine, by lines at the end of `tools.py` that replace one of its parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voicebot.evals.result import Stage

Change = Callable[[Path], None]

AGENT, TOOLS, PRICES = "agents/ava.yaml", "tools.py", "knowledge/prices.md"
NEW = '"treatment": treatment, "day": day, "time": time}'
DONE = "done: You're booked for a {treatment} on {day} at {time}."


@dataclass(frozen=True)
class Fault:
    """One way to be worse."""

    name: str
    what: str
    """One sentence."""
    stages: frozenset[Stage]
    """Where a developer would look for it: the comparison must name at least one of these."""
    change: Change


def edit(file: str, old: str, new: str) -> Change:
    """Replace `old`, which must be there exactly once."""

    def change(root: Path) -> None:
        text = (root / file).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{file}: '{old}' stands there {text.count(old)} times")
        (root / file).write_text(text.replace(old, new), encoding="utf-8")

    return change


def cut(file: str, pattern: str) -> Change:
    """Take out what matches, which must be there exactly once."""

    def change(root: Path) -> None:
        text, times = re.subn(pattern, "", (root / file).read_text(encoding="utf-8"))
        if times != 1:
            raise ValueError(f"{file}: '{pattern}' is there {times} times")
        (root / file).write_text(text, encoding="utf-8")

    return change


def engine(lines: str) -> Change:
    """Break a part of the engine for as long as this agent runs."""

    def change(root: Path) -> None:
        with (root / TOOLS).open("a", encoding="utf-8") as tools:
            tools.write("\n\n" + lines)

    return change


def voice(each_chunk: str, before: str = "pass") -> Change:
    """Break the agent's voice: `before` runs first, `each_chunk` on every chunk of its `sound` (an int16 array)."""
    return engine(
        f"""
import asyncio
import dataclasses

import numpy as np
from voicebot.tts.failover import Voices

_speak = getattr(Voices, "_whole", Voices.speak)  # a worker imports the tools of every call anew
Voices._whole = _speak


async def _worse(self, text):
    {before}
    async for speech in _speak(self, text):
        sound = np.frombuffer(speech.pcm, np.int16).copy()
        {each_chunk}
        yield dataclasses.replace(speech, pcm=sound.tobytes())


Voices.speak = _worse
"""
    )


def _stages(*names: Stage) -> frozenset[Stage]:
    return frozenset(names)


FAULTS: tuple[Fault, ...] = (
    Fault(
        "drops-a-write",
        "says that it has booked, and writes nothing down",
        _stages("tools"),
        edit(TOOLS, "    _save([*kept, new])\n", ""),
    ),
    Fault(
        "writes-twice",
        "books every appointment twice",
        _stages("tools"),
        edit(TOOLS, "_save([*kept, new])", "_save([*kept, new, {**new, 'id': number + 1}])"),
    ),
    Fault(
        "swaps-an-argument",
        "books at nine, whatever the time",
        _stages("tools"),
        edit(TOOLS, NEW, NEW.replace("time}", '"09:00"}')),
    ),
    Fault(
        "one-day-off",
        "books for the day after",
        _stages("tools"),
        edit(TOOLS, NEW, NEW.replace('"day": day', '"day": (date.fromisoformat(day) + timedelta(1)).isoformat()')),
    ),
    Fault(
        "cancels-everything",
        "cancels the appointments of everybody",
        _stages("tools"),
        edit(TOOLS, 'each for each in _load() if each["id"] != appointment', ""),
    ),
    Fault(
        "breaks-a-tool",
        "its tool for booking fails",
        _stages("tools"),
        edit(TOOLS, "    kept = _load()\n", "    raise ConnectionError('no calendar')\n    kept = _load()\n"),
    ),
    Fault(
        "forgets-the-day",
        "books for today instead of asking for the day",
        _stages("brain", "tools"),
        edit(AGENT, "ask: [treatment, day, time, name, phone]", "ask: [treatment, time, name, phone]"),
    ),
    Fault(
        "never-hands-over",
        "keeps callers who want a person",
        _stages("brain", "call"),
        edit(AGENT, "handoff:\n  to: reception\n  say: One moment, I'll put you through to the front desk.\n", ""),
    ),
    Fault(
        "hands-over-early",
        "passes callers on as soon as it has booked, for no reason",
        _stages("brain", "call"),
        edit(AGENT, DONE, DONE + "\n      then: hand_over"),
    ),
    Fault(
        "hangs-up-early",
        "hangs up as soon as it has heard what the caller wants",
        _stages("call", "brain", "tools"),
        edit(AGENT, "voice:\n", "voice:\n  turns: {idle: 300ms}\n"),
    ),
    Fault(
        "says-another-time",
        "books the right time and says another",
        _stages("brain", "mouth"),
        edit(AGENT, DONE, DONE.replace("{time}", "half past four")),
    ),
    Fault(
        "leaks-a-number",
        "tells everybody the telephone number of another patient",
        _stages("guardrails", "brain"),
        edit(AGENT, DONE, DONE + " The caller before you was on two zero two, five five five, zero one nine nine."),
    ),
    Fault(
        "tells-too-much",
        "tells what is booked before it knows who is calling",
        _stages("guardrails", "brain"),
        edit(
            AGENT,
            "name: What name is the appointment under?\n        day:",
            "name: We have a cleaning at three for you. What name is it under?\n        day:",
        ),
    ),
    Fault(
        "loops",
        "asks for the day again and again",
        _stages("brain", "call", "tools"),
        edit(
            TOOLS,
            '    return {"outcome": "free"}\n\n\ndef find_time',
            '    return {"outcome": "full", "days": _days_after(wanted)}\n\n\ndef find_time',
        ),
    ),
    Fault(
        "tells-wrong-prices",
        "has an old list of prices",
        _stages("brain"),
        edit(PRICES, "A cleaning is ninety dollars.", "A cleaning is seventy dollars."),
    ),
    Fault(
        "deaf-to-names",
        "does not know the names of its callers",
        _stages("ear", "brain", "tools"),
        cut(AGENT, r"  names:\n(    .*\n| {6,}.*\n)+"),
    ),
    Fault(
        "adds-300-ms",
        "takes 300 ms longer to begin to speak",
        _stages("latency", "mouth"),
        voice("pass", before="await asyncio.sleep(0.3)"),
    ),
    Fault(
        "slow-tool",
        "waits a second and a half for its calendar",
        _stages("latency", "tools"),
        edit(
            TOOLS,
            "    free = _free(wanted)\n",
            "    import time as clock; clock.sleep(1.5)\n    free = _free(wanted)\n",
        ),
    ),
    Fault(
        "waits-too-long",
        "is never sure that the caller has finished, and waits for a silence",
        _stages("latency", "turns"),
        engine(
            """
from voicebot.turns import floor

floor.COMPLETE = 1.1
floor.UNFINISHED_SILENCE_MS = 2400
"""
        ),
    ),
    Fault(
        "ignores-barge-in",
        "goes on talking when it is interrupted",
        _stages("turns"),
        edit(AGENT, "voice:\n", "voice:\n  turns: {barge_in: false}\n"),
    ),
    Fault(
        "stops-at-every-sound",
        "takes every cough and every uh-huh for an interruption",
        _stages("turns"),
        engine(
            """
from voicebot.turns import floor

floor.only_listening = lambda text, unheard_ms: False
floor.SPEECH_IS_WORDS_MS = 50
"""
        ),
    ),
    Fault(
        "cuts-callers-off",
        "answers while the caller is still speaking",
        _stages("turns", "ear"),
        engine(
            """
from voicebot.turns import floor

floor.COMPLETE = 0.0
floor.unfinished = lambda text: False
"""
        ),
    ),
    Fault(
        "choppy-voice",
        "loses a tenth of a second of its voice every half second",
        _stages("mouth"),
        voice("sound[: len(sound) // 2] *= 0 if len(sound) > 200 else 1"),
    ),
    Fault(
        "clipped-voice",
        "speaks so loud that it distorts",
        _stages("mouth"),
        voice("sound = np.clip(sound.astype(np.int32) * 12, -32768, 32767).astype(np.int16)"),
    ),
)
