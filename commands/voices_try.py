"""`voicebot voices try`: hear a voice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, NoColor, Quiet

TEXTS = {
    "en": "Hello! I have you down for Tuesday, May 3rd, at 9:30 am. That comes to $45. Is that right?",
    "de": "Guten Tag! Ich habe Sie für Dienstag um neun Uhr dreißig eingetragen. Passt Ihnen das?",
    "es": "¡Hola! Le he reservado el martes a las nueve y media. ¿Le parece bien?",
    "fr": "Bonjour ! Je vous ai noté pour mardi à neuf heures et demie. Cela vous convient-il ?",
    "it": "Buongiorno! L'ho segnata per martedì alle nove e mezza. Va bene?",
    "nl": "Goedendag! Ik heb u genoteerd voor dinsdag om half tien. Is dat goed?",
    "pt": "Olá! Marquei para terça-feira às nove e meia. Está bem assim?",
    "pl": "Dzień dobry! Zapisałam termin na wtorek, na wpół do dziesiątej. Czy to pasuje?",
}
"""What a voice says that is given nothing to say."""


def try_(
    voice: Annotated[str, typer.Argument(metavar="VOICE", help="As in an agent file: espeak/en-us+f2.")],
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="What it says.", show_default=False)] = None,
    language: Annotated[str | None, typer.Option(help="Of the text; by default that of the voice.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write a WAV file, play nothing.")] = None,
    loudspeaker: Annotated[str | None, typer.Option("--output", metavar="DEVICE", help="Name or number.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Hear a voice, as an agent with it would speak: numbers, dates and money are read out.

    It says how long the voice took to begin (time to first audio), once it was loaded.

    \b
    Examples:
      voicebot voices try espeak/en-us+f2
      voicebot voices try piper/en_US-joe-medium "Your code is ZK-3401." --out joe.wav
    """
    from voicebot import clock
    from voicebot.evals.bench import speaking
    from voicebot.tts import library

    from .loudspeaker import Loudspeaker, sounding, write_wav
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    spoken = language or library.language_of(voice)
    words = text if text is not None else TEXTS.get(spoken.partition("-")[0], TEXTS["en"])
    if out is not None:
        said = clock.run(speaking.say(voice, words, spoken))
        write_wav(out, said.pcm, said.rate_hz)
    else:
        with sounding(Loudspeaker(loudspeaker)) as speaker:
            said = clock.run(speaking.say(voice, words, spoken, speaker.play))
    if as_json:
        facts = {"voice": said.voice, "text": words, "ttfa_ms": said.first_ms, "seconds": said.seconds}
        screen.json(facts | {"rate_hz": said.rate_hz, "file": str(out) if out else None})
        return
    screen.talk(f"{said.voice}: first audio after {said.first_ms:.0f} ms, {said.seconds:.1f} s of sound")
    if out is not None:
        screen.talk(f"wrote {out}", "good")
