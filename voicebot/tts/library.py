"""The voices there are, of all providers, each as an agent file names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from voicebot import models, providers
from voicebot.models.catalogue import Entry
from voicebot.money.prices import prices, shipped
from voicebot.tts import espeak_voices

Gender = Literal["female", "male", ""]
ENGLISH = "en-us"
"""The eSpeak voice of which all variants are listed; any other voice can have them too."""
WOMAN = "f2"
"""The variant that stands for a woman in the other languages."""


@dataclass(frozen=True)
class Listed:
    """A voice in the library."""

    name: str
    """As in an agent file: 'espeak/en-us+f2'."""
    provider: str
    language: str
    """A lower-case tag ('en-us'); '' where it is not known."""
    gender: Gender
    """'' where it is not known."""
    what: str = ""
    """A few words for a person."""
    local: bool = True
    """It speaks on this machine."""
    usd: float | None = None
    """US dollars for 1000 characters; None where it is not known."""
    why_not: str = ""
    """Why it cannot speak here and now, as a clause."""


def on_this_machine(root: Path) -> list[Listed]:
    """Voices that need no network, ready or not; and the providers of other packages, whose voices nobody knows."""
    found = [*_espeak(), *_piper(root)]
    for provider in providers.providers():
        if provider.kind == "tts" and provider.name not in ("espeak", "piper", "elevenlabs"):
            why_not = providers.why_not(provider, root)
            found.append(Listed(provider.name, provider.name, "", "", provider.what, provider.offline, None, why_not))
    return found


def speaks(voice: Listed, language: str) -> bool:
    """Whether its language is `language` or a kind of it: 'en-us' is 'en'. A voice of unknown language may be."""
    wanted = language.lower().replace("_", "-")
    return not voice.language or f"{voice.language}-".startswith(f"{wanted}-")


def language_of(name: str) -> str:
    """The language of a voice by its name alone; English where the name does not tell."""
    provider, _, voice = name.partition("/")
    if provider == "espeak":
        return voice.partition("+")[0] or ENGLISH
    if provider == "piper" and (match := re.match(r"(?:.*/)?([a-z]{2,3})_([A-Z]{2})-", voice)):
        return f"{match[1]}-{match[2].lower()}"
    return "en"


def usd(provider: str, model: str) -> float | None:
    """The price of 1000 characters, by the dated table of prices."""
    price = prices().speech("tts", f"{provider}/{model}")
    return price.thousand_characters if price else None


def priced_on() -> str:
    """The date of the prices."""
    return max(f"{page.as_of:%Y-%m}" for page in shipped().tts.values())


def _espeak() -> Iterator[Listed]:
    """A man and a woman for each language, all of them for one."""
    for base in espeak_voices.bases():
        variants = espeak_voices.variants()
        chosen = variants if base.name == ENGLISH else {WOMAN: variants[WOMAN]}
        named: dict[str, Gender] = {base.name: "male"}
        named.update({f"{base.name}+{variant}": gender for variant, gender in chosen.items()})
        for name, gender in named.items():
            yield Listed(f"espeak/{name}", "espeak", base.name, gender, base.what, usd=0.0)


def _piper(root: Path) -> Iterator[Listed]:
    provider = providers.find("tts", "piper")
    for model in models.entries():
        if model.kind == "tts":
            why_not = providers.why_not(provider, root, model=model.name)
            language, gender = language_of(f"piper/{model.name}"), _gender(model)
            yield Listed(f"piper/{model.name}", "piper", language, gender, model.what, usd=0.0, why_not=why_not)


def _gender(model: Entry) -> Gender:
    words = set(re.findall(r"\w+", model.what.lower()))
    return "female" if "woman" in words else "male" if "man" in words else ""
