"""`voicebot voices`: which voices there are; hear one, make one, find out which of two people like better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .help import Command, Group
from .options import Json, NoColor, Quiet
from .voices_clone import clone
from .voices_compare import compare
from .voices_try import try_

if TYPE_CHECKING:
    from voicebot.tts.library import Listed

    from .terminal import Screen

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Voices: list, try, clone, compare.

    \b
    Examples:
      voicebot voices list --language de
      voicebot voices try espeak/en-us+f2
      voicebot voices compare espeak/en-us+f2 piper/en_US-joe-medium
    """,
)
app.command("try", cls=Command)(try_)
app.command(cls=Command)(clone)
app.command(cls=Command)(compare)
ALL = "all"


@app.command("list", cls=Command)
def list_(
    provider: Annotated[str | None, typer.Option(help="Only its voices: espeak, piper, elevenlabs ...")] = None,
    language: Annotated[str, typer.Option(help="Only voices that speak it, or 'all'.")] = "en",
    gender: Annotated[str | None, typer.Option(help="Only female or male ones.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """The voices of all providers as an agent file names them; --quiet prints the names of those that can speak here.

    The price is in US dollars for 1000 characters. How long a voice takes to begin depends on the machine and the
    line: 'voicebot bench tts VOICE...' measures it.

    \b
    Examples:
      voicebot voices list
      voicebot voices list --language de --gender female
      voicebot voices list --provider elevenlabs --language all --json
    """
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    _check(provider, gender)
    with screen.waiting("asking for voices ..."):
        found = _found(screen, provider)
    chosen = _chosen(found, language, gender)
    if as_json:
        screen.json([_facts(voice) for voice in chosen])
    elif quiet:
        for voice in chosen:
            if not voice.why_not:
                screen.data(voice.name)
    else:
        _show(screen, chosen, language, gender)


def _check(provider: str | None, gender: str | None) -> None:
    from voicebot import providers
    from voicebot.errors import BadInput, did_you_mean

    if provider:
        known = providers.known("tts") - {providers.AUTO}
        if provider not in known:
            raise BadInput(
                f"--provider {provider}: there is no such provider of voices.{did_you_mean(provider, known)}"
            )
    if gender and gender not in ("female", "male"):
        raise BadInput(f"--gender {gender}: voices are listed as female or male, where it is known.")


def _found(screen: Screen, provider: str | None) -> list[Listed]:
    """A provider that cannot be asked is a line on stderr; the others are listed all the same."""
    from voicebot import clock, paths, providers
    from voicebot.errors import Unavailable
    from voicebot.tts import library

    root = paths.project_root()
    found = [voice for voice in library.on_this_machine(root) if provider in (None, voice.provider)]
    if provider not in (None, "elevenlabs"):
        return found
    if reason := providers.why_not(providers.find("tts", "elevenlabs"), root):
        screen.talk(f"elevenlabs is left out: {reason}", "dim")
        return found
    from voicebot.tts.account import Account

    try:
        found += clock.run(Account(root).voices())
    except Unavailable as error:
        screen.warn(f"elevenlabs is left out: {error}")
    return found


def _chosen(found: list[Listed], language: str, gender: str | None) -> list[Listed]:
    from voicebot.errors import BadInput, did_you_mean
    from voicebot.tts import library

    spoken = [voice for voice in found if language == ALL or library.speaks(voice, language)]
    known = {voice.language for voice in found if voice.language}
    if found and not any(voice.language for voice in spoken) and language != ALL:
        close = did_you_mean(language, known) if len(known) < 20 else " All there are: --language all."
        raise BadInput(f"--language {language}: no voice speaks it.{close}")
    return [voice for voice in spoken if gender in (None, voice.gender)]


def _facts(voice: Listed) -> dict[str, Any]:
    from dataclasses import asdict

    from voicebot.tts import library

    facts = asdict(voice) | {"ready": not voice.why_not}
    return facts | ({"price_date": library.priced_on()} if voice.usd else {})


def _show(screen: Screen, chosen: list[Listed], language: str, gender: str | None) -> None:
    from voicebot.tts import library

    headers = ("voice", "language", "gender", "$ / 1000", "runs", "ready", "what")
    screen.table(headers, [_row(voice) for voice in chosen], right=("$ / 1000",))
    which = f"{len(chosen)} voices" + (f" for '{language}'; --language all shows every one" if language != ALL else "")
    screen.talk(which, "dim")
    if any(voice.usd for voice in chosen):
        screen.talk(f"prices of {library.priced_on()}; your plan's may differ", "dim")
    if gender is None and any(voice.provider == "espeak" for voice in chosen):
        screen.talk(f"every espeak voice can have the variants listed for {library.ENGLISH}: espeak/de+f4", "dim")


def _row(voice: Listed) -> list[Any]:
    from rich.text import Text

    price = "" if voice.usd is None else "0" if not voice.usd else f"{voice.usd:.2f}"
    ready = Text(voice.why_not, "poor") if voice.why_not else Text("yes", "good")
    where = "here" if voice.local else "cloud"
    plain = [Text(each) for each in (voice.language, voice.gender, price, where)]
    return [Text(voice.name, "bold"), *plain, ready, Text(voice.what, "dim")]
