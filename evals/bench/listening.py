"""Which of two voices people like better, without knowing which is which: trials in a random order, votes that are kept
and add up, and an exact sign test (Conover, Practical Nonparametric Statistics, 3rd ed., section 3.4).

    votes.jsonl    one JSON object a line: {"a": "voice A", "b": "voice B", "item": "text or file", "first": "a",
                   "vote": "b", "listener": "kim", "at": "..."}
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from voicebot.errors import BadInput

Side = Literal["a", "b"]
Choice = Literal["a", "b", "same"]
SIGNIFICANT = 0.05
FEW = 6
"""With fewer votes that are no ties, not even all for one side are significant."""


class Vote(BaseModel):
    """What one listener said about one pair."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    a: str
    b: str
    item: str
    """What both said."""
    first: Side
    """Which of them was played first."""
    vote: Choice
    listener: str
    at: str


@dataclass(frozen=True)
class Trial:
    """Two sounds of the same words, in the order in which they are played."""

    number: int
    item: str
    first: Side

    @property
    def order(self) -> tuple[Side, Side]:
        return ("a", "b") if self.first == "a" else ("b", "a")

    def choice(self, answer: str) -> Choice:
        """What the answer '1', '2' or '0' (the same) stands for."""
        return "same" if answer == "0" else self.order[int(answer) - 1]


@dataclass(frozen=True)
class Result:
    """All votes of a comparison."""

    a: str
    b: str
    for_a: int
    for_b: int
    ties: int
    listeners: int

    @property
    def n(self) -> int:
        """Votes that are no ties: those that the test is about."""
        return self.for_a + self.for_b

    @property
    def share_a(self) -> float | None:
        return self.for_a / self.n if self.n else None

    @property
    def p(self) -> float:
        return sign_test(self.for_a, self.for_b)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.n < FEW:
            return f"too few votes to say: with {self.n} no difference could be significant, {FEW} are the least"
        if self.p >= SIGNIFICANT:
            return f"no evidence of a preference ({shown(self.p)})"
        return f"{self.a if self.for_a > self.for_b else self.b} is preferred ({shown(self.p)})"


def sign_test(for_a: int, for_b: int) -> float:
    """The two-sided p-value of so uneven a split, or a more uneven one, when nobody prefers either. 1 without votes."""
    n, most = for_a + for_b, max(for_a, for_b)
    tail = sum(math.comb(n, k) for k in range(most, n + 1))
    return min(1.0, float(2 * tail / 2**n))


def shown(p: float) -> str:
    return f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"


def trials(items: Sequence[str], seed: int | None = None) -> list[Trial]:
    """A trial for each item; items and sides in an order that `seed` decides, at random without one."""
    chance = random.Random(seed)  # noqa: S311 - an order that can be had again, no secret
    shuffled = chance.sample(list(items), len(items))
    return [Trial(number, item, chance.choice(("a", "b"))) for number, item in enumerate(shuffled, 1)]


def count(votes: Iterable[Vote]) -> Result:
    """The result of all votes. Of one listener on one item the newest counts. Raises BadInput for several pairs."""
    newest: dict[tuple[str, str], Choice] = {}
    pairs: list[tuple[str, str]] = []
    for vote in votes:
        pair, swapped = (vote.a, vote.b), (vote.b, vote.a)
        if not pairs:
            pairs.append(pair)
        if pairs[0] not in (pair, swapped):
            raise BadInput(f"votes on {' and '.join(pairs[0])} stand beside votes on {' and '.join(pair)}.")
        newest[vote.listener, vote.item] = vote.vote if pair == pairs[0] else _other(vote.vote)
    if not pairs:
        raise BadInput("there are no votes yet.")
    choices = list(newest.values())
    listeners = len({listener for listener, _ in newest})
    return Result(*pairs[0], choices.count("a"), choices.count("b"), choices.count("same"), listeners)


def _other(choice: Choice) -> Choice:
    swapped: dict[Choice, Choice] = {"a": "b", "b": "a", "same": "same"}
    return swapped[choice]


def vote(pair: tuple[str, str], trial: Trial, choice: Choice, listener: str) -> Vote:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    a, b = pair
    return Vote(a=a, b=b, item=trial.item, first=trial.first, vote=choice, listener=listener, at=now)


def keep(path: Path, votes: Iterable[Vote]) -> None:
    """Append them to the file, which is made if need be. Raises BadInput."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as out:
            out.writelines(f"{each.model_dump_json()}\n" for each in votes)
    except OSError as error:
        raise BadInput(f"{path}: votes cannot be kept there ({error.strerror}).") from None


def read(path: Path) -> list[Vote]:
    """All votes of a file. Raises BadInput with the line that is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}.") from None
    except UnicodeError:
        raise BadInput(f"{path}: no text file.") from None
    votes = []
    for number, line in enumerate(lines, 1):
        try:
            votes += [Vote.model_validate_json(line)] if line.strip() else []
        except ValidationError as error:
            raise BadInput(f"{path}:{number}: no vote ({error.errors()[0]['msg']}).") from None
    return votes


# -- listening elsewhere: the sounds in a folder, and answers that are entered later ---------------------------------

KEY, ANSWERS = "key.json", "answers.txt"
_ANSWERS = """# After each colon: 1 when the first sounds better, 2 when the second does, 0 when they are the same.
# Then: voicebot voices compare --answers {path}
"""


class Key(BaseModel):
    """What was put into a folder: the pair, and which of the two comes first in each trial."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    a: str
    b: str
    votes: str
    trials: tuple[tuple[int, str, Side], ...]


def lay_out(folder: Path, pair: tuple[str, str], plan: Sequence[Trial], votes: Path) -> None:
    """The sheet for the answers and the key to them, beside the sounds."""
    key = Key(a=pair[0], b=pair[1], votes=str(votes), trials=tuple((t.number, t.item, t.first) for t in plan))
    (folder / KEY).write_text(key.model_dump_json(indent=1), encoding="utf-8")
    sheet = _ANSWERS.format(path=folder / ANSWERS) + "".join(f"{trial.number:02d}: \n" for trial in plan)
    (folder / ANSWERS).write_text(sheet, encoding="utf-8")


def answered(path: Path, listener: str) -> tuple[list[Vote], Path]:
    """The votes on an answer sheet that was filled in, and the file that they belong to. Raises BadInput."""
    try:
        key = Key.model_validate_json((path.parent / KEY).read_text(encoding="utf-8"))
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"{error.filename}: {error.strerror}. The sheet and {KEY} stay in one folder.") from None
    except (ValidationError, UnicodeError, json.JSONDecodeError):
        raise BadInput(f"{path.parent / KEY}: this is not the key that was made with the sounds.") from None
    plan = {number: Trial(number, item, first) for number, item, first in key.trials}
    found = []
    for place, line in enumerate(lines, 1):
        number, _, answer = (part.strip() for part in line.partition(":"))
        if not answer or line.startswith("#"):
            continue
        if not number.isdecimal() or int(number) not in plan or answer not in ("0", "1", "2"):
            raise BadInput(f"{path}:{place}: '{line.strip()}' is no answer. Write NUMBER: 1, 2 or 0.")
        trial = plan[int(number)]
        found.append(vote((key.a, key.b), trial, trial.choice(answer), listener))
    if not found:
        raise BadInput(f"{path}: no answers in it yet.")
    return found, Path(key.votes)
