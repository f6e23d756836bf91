"""How far a judge can be believed: what a language model rules on claims about calls, against what people said.

labels = read(Path("labels.csv"))                      # call,claim,label
agreement = asyncio.run(check(labels, root, model="openai/gpt-4.1"))
agreement.accuracy, agreement.kappa, agreement.disagreements
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from voicebot import paths, validation, yamlfile
from voicebot.agent.values import Part, Text
from voicebot.errors import BadInput, did_you_mean

from . import judge
from .case import Case
from .checks.claims import Claims
from .checks.evidence import Evidence
from .checks.values import PLACE
from .measures import Rate
from .result import Finding
from .trial import Trial

_WORDS = {"true": True, "yes": True, "1": True, "pass": True, "false": False, "no": False, "0": False, "fail": False}
_COLUMNS = ("call", "claim", "label")


def _as_bool(value: Any) -> Any:
    word = str(value).strip().casefold()
    if word not in _WORDS:
        raise ValueError(f"'{value}' is no label.{did_you_mean(word, _WORDS)}")
    return _WORDS[word]


class Label(Part):
    """What a person found of a claim about a call."""

    call: Text
    """The call: its folder, from the project's, or its id in `calls/`."""
    claim: Text
    """One sentence, as it would stand in `checks: {judge: [...]}`."""
    label: Annotated[bool, BeforeValidator(_as_bool)]
    """Whether it is true: true or false, yes or no, pass or fail."""


class Labels(Part):
    """A file of labels."""

    labels: Annotated[list[Label], Field(min_length=1)]
    """Claims that people have looked at."""


@dataclass(frozen=True)
class Disagreement:
    """A claim on which the judge and the person differ."""

    label: Label
    says: str
    """The judge's ruling, with its reason."""
    quote: str


@dataclass(frozen=True)
class Agreement:
    """The judge against the labels; `true_true` is 'the person says true, the judge says true'."""

    true_true: int = 0
    true_false: int = 0
    false_true: int = 0
    false_false: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)
    unanswered: list[tuple[Label, str]] = field(default_factory=list)
    """Claims without a usable ruling, and why; they are in no figure."""

    @property
    def n(self) -> int:
        """Claims that were ruled on."""
        return self.true_true + self.true_false + self.false_true + self.false_false

    @property
    def accuracy(self) -> Rate:
        """Rulings that are the person's."""
        return Rate(hits=self.true_true + self.false_false, n=self.n)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: agreement beyond chance, 1 is complete, 0 is what guessing gives. None when both always
        say the same one thing: chance alone would agree as often.

        Cohen, A coefficient of agreement for nominal scales, 1960.
        """
        if not self.n:
            return None
        observed = (self.true_true + self.false_false) / self.n
        person = (self.true_true + self.true_false) / self.n
        ruled = (self.true_true + self.false_true) / self.n
        chance = person * ruled + (1 - person) * (1 - ruled)
        return None if chance == 1 else (observed - chance) / (1 - chance)


def read(path: Path) -> list[Label]:
    """The labels of a YAML file (`labels: [{call, claim, label}, ...]`) or of a CSV file with these three columns.

    Raises BadInput, one line a problem.
    """
    if path.suffix.lower() != ".csv":
        return validation.build(yamlfile.read(path), Labels).labels
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeError, csv.Error) as error:
        raise BadInput(f"{paths.shown(path)} cannot be read as CSV: {error}.") from None
    if not rows or not {*_COLUMNS} <= rows[0].keys():
        raise BadInput(f"{paths.shown(path)}: no labels. Its first line must be '{','.join(_COLUMNS)}'.")
    return [_row(path, number, row) for number, row in enumerate(rows, 2)]


def _row(path: Path, number: int, row: dict[str, Any]) -> Label:
    try:
        return Label.model_validate({name: row[name] for name in _COLUMNS})
    except ValueError as error:
        reason = str(error).splitlines()[2].strip().removeprefix("Value error, ").partition(" [type=")[0]
        raise BadInput(f"{paths.shown(path)}:{number} {reason}") from None


async def check(
    labels: Sequence[Label],
    root: Path,
    *,
    model: str | None = None,
    base_url: str | None = None,
    told: Callable[[int], object] = lambda _: None,
) -> Agreement:
    """Let the judge rule on every claim, call by call; `told` is called with how many claims are done.

    Raises BadInput for a call that is not there or holds no words, Unavailable when the judge cannot be asked.
    """
    by_call: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        if place := PLACE.search(label.claim):
            raise BadInput(f"'{label.claim}': a labelled claim is about one call, so write what {place[0]} stands for.")
        by_call[label.call].append(label)
    evidence = {name: _evidence(name, root) for name in by_call}
    rulings: list[tuple[Label, Finding]] = []
    unanswered: list[tuple[Label, str]] = []
    for name, its in by_call.items():
        claims = Claims(claims=[label.claim for label in its], llm=model or "auto", base_url=base_url)
        try:
            rulings += zip(its, await judge.rule(claims, evidence[name], root=root), strict=True)
        except judge.Unfit as error:
            unanswered += [(label, str(error)) for label in its]
        told(len(rulings) + len(unanswered))
    return _compared(rulings, unanswered)


def _compared(rulings: Sequence[tuple[Label, Finding]], unanswered: list[tuple[Label, str]]) -> Agreement:
    counts = Counter((label.label, finding.ok) for label, finding in rulings)
    differ = [Disagreement(label, found.says, found.quote) for label, found in rulings if label.label != found.ok]
    return Agreement(
        true_true=counts[True, True],
        true_false=counts[True, False],
        false_true=counts[False, True],
        false_false=counts[False, False],
        disagreements=differ,
        unanswered=unanswered,
    )


def _evidence(name: str, root: Path) -> Evidence:
    places = [root / name, paths.calls_dir(root) / name]
    folder = next((place for place in places if (place / "events.jsonl").is_file()), None)
    if folder is None:
        known = [path.parent.name for path in paths.calls_dir(root).glob("*/events.jsonl")]
        raise BadInput(f"no call '{name}' in {paths.shown(root)}.{did_you_mean(name, known)}")
    call = Evidence(Trial(case=Case(scenario="labelled", persona="", agent=""), folder=folder))
    if not call.transcript():
        raise BadInput(f"the call '{name}' holds no words to judge.")
    return call
