"""What the callers hear who are still on the line when a server must stop."""

from __future__ import annotations

SENTENCES = {
    "de": "Es tut mir leid, ich muss das Gespräch jetzt beenden. Bitte rufen Sie in ein paar Minuten wieder an.",
    "en": "I'm sorry, I have to end this call now. Please call again in a few minutes. Goodbye.",
    "es": "Lo siento, tengo que terminar la llamada. Por favor, vuelva a llamar en unos minutos. Adiós.",
    "fr": "Je suis désolé, je dois mettre fin à cet appel. Merci de rappeler dans quelques minutes. Au revoir.",
    "it": "Mi scusi, devo terminare la chiamata. La prego di richiamare tra qualche minuto. Arrivederci.",
    "nl": "Het spijt me, ik moet dit gesprek nu beëindigen. Belt u over een paar minuten terug. Tot ziens.",
    "pt": "Desculpe, tenho de terminar a chamada agora. Por favor, volte a ligar dentro de alguns minutos. Adeus.",
}


def goodbye(language: str) -> str:
    """In the agent's language, or in English."""
    return SENTENCES.get(language.partition("-")[0], SENTENCES["en"])
