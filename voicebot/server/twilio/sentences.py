"""What callers hear whose call no agent can take: Twilio's own voice says it."""

from __future__ import annotations

from typing import Final, Literal

What = Literal["busy", "out_of_order", "nobody_there"]

LOCALES: Final = {
    "de": "de-DE",
    "en": "en-US",
    "es": "es-ES",
    "fr": "fr-FR",
    "it": "it-IT",
    "nl": "nl-NL",
    "pt": "pt-PT",
}
"""Twilio's names of the languages."""
_SENTENCES: Final[dict[What, dict[str, str]]] = {
    "busy": {
        "de": "Alle Leitungen sind belegt. Bitte rufen Sie gleich noch einmal an.",
        "en": "All our lines are busy. Please call again in a moment.",
        "es": "Todas nuestras líneas están ocupadas. Por favor, vuelva a llamar en un momento.",
        "fr": "Toutes nos lignes sont occupées. Merci de rappeler dans un instant.",
        "it": "Tutte le nostre linee sono occupate. La preghiamo di richiamare tra poco.",
        "nl": "Al onze lijnen zijn bezet. Belt u over een ogenblik terug.",
        "pt": "Todas as nossas linhas estão ocupadas. Por favor, volte a ligar daqui a pouco.",
    },
    "out_of_order": {
        "de": "Wir können Ihren Anruf gerade nicht annehmen. Bitte rufen Sie später noch einmal an.",
        "en": "We cannot take your call right now. Please call again later.",
        "es": "No podemos atender su llamada en este momento. Por favor, vuelva a llamar más tarde.",
        "fr": "Nous ne pouvons pas prendre votre appel pour le moment. Merci de rappeler plus tard.",
        "it": "Al momento non possiamo rispondere. La preghiamo di richiamare più tardi.",
        "nl": "Wij kunnen uw gesprek nu niet aannemen. Belt u later terug.",
        "pt": "Não podemos atender a sua chamada agora. Por favor, volte a ligar mais tarde.",
    },
    "nobody_there": {
        "de": "Dort ist gerade niemand zu erreichen. Bitte rufen Sie später noch einmal an.",
        "en": "Nobody can be reached there at the moment. Please call again later.",
        "es": "En este momento no hay nadie disponible. Por favor, vuelva a llamar más tarde.",
        "fr": "Personne n'est joignable pour le moment. Merci de rappeler plus tard.",
        "it": "Al momento non risponde nessuno. La preghiamo di richiamare più tardi.",
        "nl": "Daar is op dit moment niemand bereikbaar. Belt u later terug.",
        "pt": "Neste momento não está ninguém disponível. Por favor, volte a ligar mais tarde.",
    },
}


def sentence(what: What, language: str) -> tuple[str, str]:
    """(text, Twilio's name of its language): the agent's language, or English."""
    code = language.partition("-")[0].lower()
    known = code if code in LOCALES else "en"
    return _SENTENCES[what][known], LOCALES[known]
