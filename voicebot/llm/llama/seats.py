"""Where conversations sit in the context, so that what is already computed is not computed again.

A request takes the seat whose tokens it goes on from: the same call's last turn. Another call of the same agent has
only the system prompt in common with it; that is shared with a seat of its own, without computing or copying anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from voicebot.llm.llama.native import Context

SLACK_TOKENS = 16
"""How far behind the end of its last prompt a conversation may differ and still be the same one: the caller's words
may have gone on in the same message."""


@dataclass
class Seat:
    """One conversation in the context."""

    number: int
    held: list[int] = field(default_factory=list)
    """The tokens that are computed."""
    prompt_tokens: int = 0
    """How many of them were asked for; the rest was answered."""
    taken: bool = False
    used: int = 0
    """When it was last taken, as a count."""


class Seats:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._seats = [Seat(number) for number in range(context.conversations)]
        self._count = 0

    def free(self) -> bool:
        return any(not seat.taken for seat in self._seats)

    def take(self, tokens: Sequence[int]) -> tuple[Seat, int]:
        """A free seat for this prompt, and how many of its tokens are computed there already. One must be free."""
        best = max(self._seats, key=lambda seat: _common(seat.held, tokens))
        common = _common(best.held, tokens)
        goes_on = common >= best.prompt_tokens - SLACK_TOKENS
        if best.taken or not goes_on:
            other = self._longest_unused()
            if other is not best:
                self._context.copy(best.number, other.number, common)
                other.held = list(tokens[:common])
                best = other
        self._count += 1
        best.taken, best.used, best.prompt_tokens = True, self._count, len(tokens)
        kept = min(common, len(tokens) - 1)  # the last token is computed in any case: the answer is sampled behind it
        return best, self.cut(best, kept)

    def cut(self, seat: Seat, keep: int) -> int:
        """Forget all but the first `keep` tokens; how many are left, which is 0 where a model cannot forget a part."""
        if not self._context.cut(seat.number, keep):
            keep = 0
        del seat.held[keep:]
        return keep

    def leave(self, seat: Seat) -> None:
        seat.taken = False

    def evict(self) -> bool:
        """Forget the conversation that has waited longest. False when all that hold something are being answered."""
        waiting = [seat for seat in self._seats if seat.held and not seat.taken]
        if not waiting:
            return False
        self.cut(min(waiting, key=lambda seat: seat.used), 0)
        return True

    def clear(self) -> None:
        self._context.clear()
        for seat in self._seats:
            seat.held.clear()

    def _longest_unused(self) -> Seat:
        return min((seat for seat in self._seats if not seat.taken), key=lambda seat: (bool(seat.held), seat.used))


def _common(held: Sequence[int], tokens: Sequence[int]) -> int:
    """How many tokens are the same from the beginning. Halving, since comparing lists is quick and looping is not."""
    low, high = 0, min(len(held), len(tokens))
    while low < high:
        middle = (low + high + 1) // 2
        if held[low:middle] == tokens[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
