"""`voicebot voices clone`: a voice made of samples of somebody's speech."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, NoColor, Quiet


def clone(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the voice is called at ElevenLabs.")],
    samples: Annotated[list[Path], typer.Argument(metavar="SAMPLE...", help="Recordings of one person's speech.")],
    consent: Annotated[
        Path, typer.Option("--consent", metavar="FILE", help="A text: who agrees that their voice is cloned, and when.")
    ],
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Make a voice of your own at ElevenLabs, of a minute or two of one person's speech.

    Nothing is sent without the speaker's consent in a file, nor before the samples were checked: length, clipping,
    silence, level. The voice, the samples and the consent's SHA-256 are written down in voices.yaml of the project,
    and nothing is ever sent twice.

    \b
    Examples:
      voicebot voices clone ava ava-1.wav ava-2.wav --consent ava-consent.txt
    """
    from voicebot import clock, paths, providers
    from voicebot.errors import BadInput
    from voicebot.tts import cloning
    from voicebot.tts.account import Account

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    root = paths.project_root()
    if not name.strip():
        raise BadInput("the voice needs a name.")
    cloning.read_consent(consent)
    seconds = sum(sample.seconds for sample in cloning.check(samples))
    if seconds < cloning.ENOUGH_S:
        screen.warn(f"{seconds:.0f} s of speech are few: from {cloning.ENOUGH_S:.0f} s on a voice is a good likeness.")
    providers.choose("tts", ["elevenlabs"], root)  # raises with what is missing
    with screen.waiting(f"sending {len(samples)} samples to ElevenLabs ..."):
        made = clock.run(cloning.clone(name, samples, consent, root, Account(root)))
    if as_json:
        screen.json(made.clone.model_dump() | {"needs_verification": made.verify, "found": made.found})
        return
    if made.found:
        screen.talk("an earlier attempt had made it; nothing was sent again")
    if made.verify:
        screen.warn("ElevenLabs wants to verify the speaker before it speaks: see https://elevenlabs.io/app/voice-lab")
    screen.talk(
        f"written down in {paths.shown(root / cloning.FILE)}; in an agent file:  voice: {{tts: {made.clone.voice}}}"
    )
    screen.data(made.clone.voice)
