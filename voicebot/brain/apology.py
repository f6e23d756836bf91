"""What the agent says when its brain has failed and nobody is left to ask."""

from __future__ import annotations

from uuid import uuid4

from langchain_core.messages import AIMessage

APOLOGY = "apology"
"""The remedy that a `Failed` output names when it came to this."""

SENTENCES = {
    "de": "Entschuldigung, da ist bei mir etwas schiefgegangen. Können Sie das bitte noch einmal sagen?",
    "en": "I'm sorry, something went wrong on my side. Could you say that again?",
    "es": "Lo siento, algo ha fallado por mi parte. ¿Puede repetirlo, por favor?",
    "fr": "Je suis désolé, il y a eu un problème de mon côté. Pouvez-vous répéter, s'il vous plaît ?",
    "it": "Mi scusi, c'è stato un problema da parte mia. Può ripetere, per favore?",
    "nl": "Sorry, er ging iets mis aan mijn kant. Kunt u dat nog eens zeggen?",
    "pt": "Desculpe, algo correu mal do meu lado. Pode repetir, por favor?",
}


def apology(language: str) -> AIMessage:
    """An apology in the agent's language, or in English."""
    base = language.partition("-")[0]
    return AIMessage(SENTENCES.get(base, SENTENCES["en"]), id=f"apology-{uuid4().hex}")
