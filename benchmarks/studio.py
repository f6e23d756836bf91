"""Does the studio cost a call anything? The same calls with the studio around them and without, one after the other.

    python -m benchmarks.studio --pairs 5

Each pair is the same recording as the caller of the dental template, with the embedded stack, in real time: once with
`voicebot talk --wav`, once on the talk page of a studio that draws all of it on a pseudo terminal of 200x60 with the
microphone's meters moving. Turns are compared in pairs: with the studio minus without, with the 95 % bootstrap interval
of the mean. Let nothing else run meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pexpect
from rich.console import Console

import voicebot
from benchmarks.clock import conditions, table
from voicebot.commands.loudspeaker import write_wav
from voicebot.latency import Waterfall
from voicebot.personas.persona import Voice
from voicebot.personas.voice import CallerVoice
from voicebot.store import calls

SAID = ("I would like a cleaning please", "on Tuesday", "at ten in the morning", "Maria Lopez")
PAUSE_S = 6.0
"""Behind each sentence, for the agent's answer."""
RATE_HZ = 16000
SIZE = (60, 200)

INSIDE = """
import sys
from pathlib import Path
from voicebot.studio.app import Studio
from voicebot.studio.talk import wire
from voicebot.studio.talk.page import Talk

root, recording = Path(sys.argv[1]), Path(sys.argv[2])

class Once(Studio):
    def on_mount(self):
        super().on_mount()
        self.call_later(self.begin)

    def begin(self):
        page = self.screen
        assert isinstance(page, Talk)
        page.caller = wire.Begin(agent=Path(), caller="recording", recording=recording)
        page.add_class("-sound")
        over = page._over
        page._over = lambda report: (over(report), self.exit())
        page.action_restart()

Once(root, first="talk").run()
"""


async def recording(path: Path) -> None:
    """A caller who says all of it, with pauses."""
    voice = CallerVoice(Voice(engine="en-us+robosoft3"), RATE_HZ)
    pause = np.zeros(int(PAUSE_S * RATE_HZ), np.int16).tobytes()
    said = [await voice.say(text) for text in SAID]
    write_wav(path, pause + pause.join(said) + pause, RATE_HZ)


def without(root: Path, wav: Path) -> None:
    command = [str(Path(sys.executable).with_name("voicebot")), "talk", "--wav", str(wav), "--quiet"]
    agent = ["--agent", str(root / "agents/ava.yaml")]
    subprocess.run([*command, *agent], check=True, capture_output=True)  # noqa: S603 - this very package


def inside(root: Path, wav: Path) -> None:
    terminal = pexpect.spawn(sys.executable, ["-c", INSIDE, str(root), str(wav)], dimensions=SIZE, timeout=180)
    terminal.expect(pexpect.EOF)
    terminal.close()
    if terminal.exitstatus:
        raise SystemExit(f"the studio ended with {terminal.exitstatus}")


def last(root: Path) -> list[Waterfall]:
    """The answered turns of the call that was made last."""
    return [fall for fall in calls.find("last", root).waterfalls if fall.stages]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="calls of each kind; one takes half a minute")
    count, out = parser.parse_args().pairs, Console(width=None if sys.stdout.isatty() else 130)
    alone: list[Waterfall] = []
    studio: list[Waterfall] = []
    pairs: list[tuple[Waterfall, Waterfall]] = []
    with tempfile.TemporaryDirectory() as folder:
        root, wav = Path(folder) / "dental", Path(folder) / "caller.wav"
        shutil.copytree(Path(voicebot.__file__).parent / "templates/dental", root)
        asyncio.run(recording(wav))
        for number in range(count):
            falls = {}
            for how in (without, inside) if number % 2 else (inside, without):
                how(root, wav)
                falls[how] = last(root)
            alike = [(a, b) for a, b in zip(falls[without], falls[inside], strict=False) if a.text == b.text]
            alone, studio, pairs = [*alone, *falls[without]], [*studio, *falls[inside]], [*pairs, *alike]
            out.print(f"pair {number + 1}: {len(alike)} turns alike")
    out.print(table(("without", "in the studio"), (alone, studio), pairs))
    out.print(conditions())


if __name__ == "__main__":
    main()
