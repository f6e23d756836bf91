"""What a caller answers to a graph that asked: words, and whether they agree.

LangGraph leaves it to each graph what it wants to be resumed with: a text, True, {"type": "accept"}, {"data": "..."}.
Its documentation uses all of these, and a caller only has words. So the words come as a text that can also be asked in
those ways:

    answer == "no, thanks"      answer.lower()        f"{answer}"          # the words
    if answer: ...                                                          # False for a clear no
    answer["data"]              answer.get("feedback")                      # the words
    answer["type"] == "accept"  answer.get("action") == "approve"           # what they decide
"""

from __future__ import annotations

from typing import Any, SupportsIndex, overload

from voicebot.brain.nlu.acts import clear_no, clear_yes, find_acts
from voicebot.brain.nlu.text import Utterance

_YES = {
    "de": "ja jawohl genau gern gerne okay ok klar sicher richtig einverstanden",
    "en": "approve approved accept accepted confirmed",
    "es": "sí si claro vale correcto okay ok adelante",
    "fr": "oui ouais d'accord volontiers okay ok exact",
    "it": "sì si certo okay ok esatto d'accordo",
    "nl": "ja graag prima oké okay ok klopt",
    "pt": "sim claro certo okay ok pode",
}
_NO = {
    "de": "nein nee nicht abbrechen stopp",
    "en": "reject rejected deny denied decline declined",
    "es": "no nunca cancelar cancela",
    "fr": "non pas annuler annulez",
    "it": "no annulla annullare",
    "nl": "nee niet annuleren",
    "pt": "não nao cancelar cancela",
}
_POLITE = frozenset(
    "please thanks thank you do it that bitte danke vielen dank das es por favor gracias lo le s'il vous plaît merci "
    "per favore grazie alstublieft u obrigado obrigada".split()
)


def consent(words: str, language: str = "en") -> bool | None:
    """Whether the words are a clear yes or a clear no; None for anything else, a "yes, but" included."""
    base = language.partition("-")[0]
    said = [word.strip('.,;:!?¡¿…"“”') for word in words.casefold().split()]
    rest = {word for word in said if word} - _POLITE
    yes, no = set(_YES.get(base, "").split()), set(_NO.get(base, "").split())
    if rest and rest <= yes:
        return True
    if rest and rest <= no:
        return False
    if base != "en":
        return None
    acts = find_acts(Utterance.of(words))
    if clear_yes(acts):
        return True
    return False if clear_no(acts) or acts.only("no", "drop", "refuse") else None


class SpokenAnswer(str):
    """The caller's words, and `agrees`: True for a clear yes, False for a clear no, None for anything else."""

    agrees: bool | None

    def __new__(cls, words: str, agrees: bool | None = None) -> SpokenAnswer:
        answer = super().__new__(cls, words)
        answer.agrees = agrees
        return answer

    def __bool__(self) -> bool:
        return len(self) > 0 and self.agrees is not False

    @overload
    def __getitem__(self, key: SupportsIndex | slice) -> str: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return super().__getitem__(key)
        return self._decisions().get(key, str(self))

    def get(self, key: str, default: Any = None) -> Any:
        """As a dict's: what is asked for by a name that stands for the decision or for the words, else `default`."""
        decisions = self._decisions()
        return decisions[key] if key in decisions else str(self) if key in _WORDS else default

    def _decisions(self) -> dict[str, Any]:
        """By the names that LangGraph's documentation and its human-in-the-loop requests use."""
        kind = {True: "accept", False: "ignore", None: "response"}[self.agrees]
        action = {True: "approve", False: "reject", None: "respond"}[self.agrees]
        agreed = dict.fromkeys(("approved", "approve", "accepted", "confirmed", "confirm"), self.agrees is True)
        return {"type": kind, "action": action, "decision": action, **agreed}


_WORDS = frozenset({"data", "answer", "response", "text", "content", "feedback", "value", "input", "message", "args"})
