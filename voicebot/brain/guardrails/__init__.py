"""Guardrails: rules over what is said and returned in a call, offline, in spoken as well as in written language.

    guard = Guard(agent.brain.guardrails, agent.language, secret_texts=[prompt], own_texts=[greeting])
    ruling = guard.caller("my card is four one one one ...")     # before the brain gets the turn
    ruling = guard.result("find_order", text)                    # before the model sees a result
    arguments = guard.restore(arguments)                         # before a tool runs
    ruling = guard.agent("Your order is on its way.")            # before a clause is spoken
    kept = guard.record(text)                                    # before anything is written down

`guard.py` puts the rails together: `privacy.py` (with the finders in `pii/` and the `vault.py`), `injection.py`,
`toxicity.py` (both read their rules from YAML, see `rules.py`), `topics.py`, `never_say.py` and `leak.py`.
"""

from __future__ import annotations

from .guard import KNOWLEDGE, Guard
from .judge import judge
from .ruling import Hit, Ruling

__all__ = ["KNOWLEDGE", "Guard", "Hit", "Ruling", "judge"]
