"""`voicebot bench tts`: how fast voices begin to speak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, NoColor, Quiet

if TYPE_CHECKING:
    from voicebot.evals.bench.speaking import Pace

SENTENCES = (
    "How can I help you?",
    "I have you down for Tuesday at nine in the morning, is that right?",
    "We are open from eight to five, Monday to Friday, and on Saturdays until noon.",
)

TARGET_MS = 500.0
"""What the median time to first audio should stay below."""


def tts(
    voices: Annotated[list[str] | None, typer.Argument(metavar="VOICE...", help="As in an agent file.")] = None,
    n: Annotated[int, typer.Option("--n", min=1, max=200, help="Sentences for each voice.")] = 15,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """How fast voices begin to speak (time to first audio), and how much faster than speech they are made.

    Without names: every provider that can run here and now. The target for the first audio is below 500 ms.

    \b
    Examples:
      voicebot bench tts
      voicebot bench tts espeak/en-us+f2 piper/en_US-joe-medium --n 30
    """
    from voicebot import clock
    from voicebot.evals.bench import speaking

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    with screen.waiting("voices are speaking ..."):
        paces = clock.run(speaking.measure(voices or ["auto"], [SENTENCES[i % len(SENTENCES)] for i in range(n)]))
    rows = [_row(pace) for pace in paces]
    if as_json:
        screen.json(rows)
        return
    headers = ("voice", "n", f"first audio p50 < {TARGET_MS:.0f} ms", "p95", "real-time factor")
    cells = [
        (
            str(row["voice"]),
            str(row["n"]),
            f"{row['ttfa_p50_ms']:.1f} ms",
            f"{row['ttfa_p95_ms']:.1f} ms",
            f"{row['rtf']:.4f}",
        )
        for row in rows
    ]
    screen.table(headers, cells, right=headers[1:])


def _row(pace: Pace) -> dict[str, object]:
    first = pace.first_audio
    return {
        "voice": pace.voice,
        "n": first.n,
        "ttfa_p50_ms": first.p50,
        "ttfa_p95_ms": first.p95,
        "rtf": pace.real_time_factor,
        "targets": {"ttfa_p50_ms": TARGET_MS},
    }
