"""A caller never sits in silence: what is said while a reply is being thought out, and when.

The silence on the line is measured where it is heard, in the playout: before the first word of a reply as well as in
the middle of one, once all that was said of it has been played. Fillers are no part of the answer, and the brain does
not hear of them.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator

from voicebot.agent import Filler
from voicebot.media.playout import Playout

LEAST_S = 0.5
"""A reply gets at least this long before a filler, however late it was decided that the caller had finished."""
LATER = (3.0, 6.0)
"""How much longer the second silence may be than the first, and every further one."""
LOOK_S = 0.1
"""How often to look again while the caller makes a sound."""

SENTENCES = {
    "de": (("Einen Moment bitte.", "Kleinen Moment."), ("Es dauert noch einen Augenblick.", "Ich bin gleich so weit.")),
    "en": (("One moment.", "Just a moment."), ("Still working on that, thank you.", "Thanks for waiting.")),
    "es": (("Un momento.", "Un segundo, por favor."), ("Sigo con ello, gracias.", "Gracias por esperar.")),
    "fr": (("Un instant.", "Un petit moment."), ("J'y suis presque.", "Merci de patienter.")),
    "it": (("Un momento.", "Un attimo, per favore."), ("Ci sono quasi.", "Grazie per l'attesa.")),
    "nl": (("Een moment.", "Momentje."), ("Ik ben er bijna.", "Bedankt voor het wachten.")),
    "pt": (("Um momento.", "Só um instante."), ("Estou quase lá.", "Obrigado por esperar.")),
}
"""For each language, what is said first and what is said when it takes longer; in turns."""


class Hold:
    """The fillers of one call. `speak` says one."""

    def __init__(
        self, settings: Filler, language: str, playout: Playout, speak: Callable[[str], Awaitable[None]]
    ) -> None:
        self._after_s = settings.after
        self._playout = playout
        self._speak = speak
        first, later = SENTENCES.get(language.partition("-")[0], SENTENCES["en"])
        self._first = itertools.cycle(settings.say or first)
        self._later = self._first if settings.say else itertools.cycle(later)

    async def keep(self, silent_s: float) -> None:
        """Speak up in every silence that is too long, until cancelled. It has been silent for `silent_s` already."""
        loop = asyncio.get_running_loop()
        since = loop.time() - silent_s
        earliest = loop.time() + LEAST_S
        for sentences, patience_s in self._plan():
            while True:
                now = loop.time()
                since = now if self._playout.paused else max(since, self._playout.ends_s)
                if now >= (due := max(since + patience_s, earliest)):
                    break
                await asyncio.sleep(LOOK_S if self._playout.paused else due - now)
            await self._speak(next(sentences))
            since = loop.time()

    def _plan(self) -> Iterator[tuple[Iterator[str], float]]:
        """(where the next sentence comes from, after how long a silence in seconds)."""
        yield self._first, self._after_s
        for longer in itertools.chain(LATER, itertools.repeat(LATER[-1])):
            yield self._later, self._after_s * longer
