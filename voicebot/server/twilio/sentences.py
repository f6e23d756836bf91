"""What callers hear whose call no agent can take: Twilio's own voice says it."""

from __future__ import annotations

from dataclasses import dataclass
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
    known = _known(language)
    return _SENTENCES[what][known], LOCALES[known]


def locale_of(language: str) -> str:
    """Twilio's name of a language, or of English."""
    return LOCALES[_known(language)]


def _known(language: str) -> str:
    code = language.partition("-")[0].lower()
    return code if code in LOCALES else "en"


@dataclass(frozen=True)
class AskedWords:
    """What a colleague hears who is asked whether they take a call."""

    intro: str
    """`{agent}` is who asks."""
    said: str
    """`{said}` is what the caller said last."""
    question: str
    yes: tuple[str, ...]
    no: tuple[str, ...]
    gone: str
    declined: str


_ASKED: Final[dict[str, AskedWords]] = {
    "de": AskedWords(
        "Hier ist {agent} mit einem Anruf für Sie.",
        "Zuletzt wurde gesagt: {said}",
        "Drücken Sie die 1 oder sagen Sie ja, um das Gespräch anzunehmen, sonst die 2.",
        ("ja", "gern", "okay", "klar"),
        ("nein", "nicht", "leider"),
        "Der Anrufer hat aufgelegt. Auf Wiederhören.",
        "In Ordnung. Auf Wiederhören.",
    ),
    "en": AskedWords(
        "This is {agent} with a call for you.",
        "The caller last said: {said}",
        "To take the call, press 1 or say yes. To decline, press 2.",
        ("yes", "yeah", "yep", "sure", "okay", "ok"),
        ("no", "not", "nope", "decline"),
        "The caller has hung up. Goodbye.",
        "All right. Goodbye.",
    ),
    "es": AskedWords(
        "Aquí {agent} con una llamada para usted.",
        "Lo último que se dijo: {said}",
        "Para aceptar la llamada, pulse 1 o diga sí. Para rechazarla, pulse 2.",
        ("sí", "si", "claro", "vale"),
        ("no",),
        "La persona ha colgado. Adiós.",
        "De acuerdo. Adiós.",
    ),
    "fr": AskedWords(
        "Ici {agent}, avec un appel pour vous.",
        "Derniers mots : {said}",
        "Pour prendre l'appel, tapez 1 ou dites oui. Pour le refuser, tapez 2.",
        ("oui", "ouais", "volontiers"),
        ("non", "pas"),
        "La personne a raccroché. Au revoir.",
        "Très bien. Au revoir.",
    ),
    "it": AskedWords(
        "Qui {agent} con una chiamata per lei.",
        "Le ultime parole: {said}",
        "Per accettare la chiamata prema 1 o dica sì. Per rifiutarla prema 2.",
        ("sì", "si", "certo", "va bene"),
        ("no", "non"),
        "Chi chiamava ha riattaccato. Arrivederci.",
        "Va bene. Arrivederci.",
    ),
    "nl": AskedWords(
        "Dit is {agent} met een gesprek voor u.",
        "Het laatst gezegd: {said}",
        "Druk op 1 of zeg ja om het gesprek aan te nemen, of op 2 om het te weigeren.",
        ("ja", "goed", "oké"),
        ("nee", "niet"),
        "De beller heeft opgehangen. Tot ziens.",
        "Goed. Tot ziens.",
    ),
    "pt": AskedWords(
        "Aqui {agent} com uma chamada para si.",
        "As últimas palavras: {said}",
        "Para aceitar a chamada, prima 1 ou diga sim. Para recusar, prima 2.",
        ("sim", "claro"),
        ("não", "nao"),
        "A pessoa desligou. Adeus.",
        "Está bem. Adeus.",
    ),
}


def asked_words(language: str) -> AskedWords:
    """In this language, or in English."""
    return _ASKED[_known(language)]
