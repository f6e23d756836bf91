"""How far a judge can be believed: real SDK, loopback server, and figures that were worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from tests.doubles.recorded_call import RecordedCall
from voicebot.errors import BadInput
from voicebot.evals.judge_check import Agreement, Label, check, read

SORRY, BLAMES, GREETS = "The agent apologises.", "The agent blames the caller.", "The agent greets."
DOUBLE = "openai/double"


def test_kappa_and_accuracy_are_those_of_the_textbook() -> None:
    """Two raters of 50 proposals, 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: observed 0.7, by chance
    0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa (0.7 - 0.5) / (1 - 0.5) = 0.4."""
    agreement = Agreement(true_true=20, true_false=5, false_true=10, false_false=15)
    assert agreement.n == 50
    assert agreement.accuracy.value == pytest.approx(0.7)
    assert agreement.kappa == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("counts", "kappa"),
    [
        ((5, 0, 0, 5), 1.0),  # complete agreement
        ((0, 5, 5, 0), -1.0),  # complete disagreement
        ((25, 25, 25, 25), 0.0),  # what guessing gives
        ((9, 1, 0, 0), 0.0),  # nine in ten, and not better than always saying true
        ((7, 0, 0, 0), None),  # nobody ever said false: no evidence of anything
        ((0, 0, 0, 0), None),
    ],
)
def test_agreement_by_chance_is_worth_nothing(counts: tuple[int, int, int, int], kappa: float | None) -> None:
    assert Agreement(*counts).kappa == (None if kappa is None else pytest.approx(kappa))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for call_id, reply in (("one", "I'm sorry about that."), ("two", "You did that yourself.")):
        RecordedCall(call_id=call_id).greets("Hello.").turn("it is broken", reply).ended().write(tmp_path / "calls")
    return tmp_path


def rulings(*of: tuple[bool, str]) -> Answer:
    return answer(json.dumps([{"statement": n, "true": true, "quote": said} for n, (true, said) in enumerate(of, 1)]))


async def checked(root: Path, labels: Sequence[Label], *answers: Answer) -> tuple[Agreement, int]:
    """The agreement, and how often the judge was asked."""
    async with OpenAIEndpoint(*(answers or [answer("never asked")])) as server:
        agreement = await check(labels, root, model=DOUBLE, base_url=server.url)
        return agreement, len(server.requests)


async def test_every_call_is_judged_once_and_differences_are_quoted(root: Path) -> None:
    labels = [
        Label(call="one", claim=SORRY, label=True),
        Label(call="two", claim=SORRY, label=False),
        Label(call="one", claim=BLAMES, label=False),
        Label(call="calls/two", claim=BLAMES, label=True),
        Label(call="two", claim=GREETS, label=True),
    ]
    agreement, asked = await checked(
        root,
        labels,
        rulings((True, "I'm sorry about that."), (False, "")),
        rulings((True, "You did that yourself."), (True, "Hello.")),
        rulings((True, "You did that yourself.")),
    )
    assert asked == 3
    assert (agreement.true_true, agreement.true_false, agreement.false_true, agreement.false_false) == (3, 0, 1, 1)
    (wrong,) = agreement.disagreements
    assert wrong.label == labels[1]
    assert wrong.quote == "You did that yourself."
    assert wrong.says.startswith(f"true: {SORRY}")


async def test_a_call_without_a_usable_ruling_is_in_no_figure(root: Path) -> None:
    labels = [Label(call="one", claim=SORRY, label=True), Label(call="two", claim=BLAMES, label=True)]
    nonsense = [answer("I would say so.")] * 3
    agreement, _ = await checked(root, labels, *nonsense, rulings((True, "You did that yourself.")))
    assert agreement.n == agreement.true_true == 1
    ((label, why),) = agreement.unanswered
    assert label == labels[0]
    assert "gave no usable answer" in why


@pytest.mark.parametrize(
    ("label", "says"),
    [
        (Label(call="tow", claim=SORRY, label=True), "no call 'tow' in .* Did you mean 'two'"),
        (Label(call="one", claim="It names {day}.", label=True), r"write what \{day\} stands for"),
    ],
)
async def test_what_cannot_be_judged_is_told_before_anybody_is_asked(root: Path, label: Label, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        await checked(root, [label])


async def test_a_call_without_words_cannot_be_judged(root: Path) -> None:
    RecordedCall(call_id="mute").ended().write(root / "calls")
    with pytest.raises(BadInput, match="'mute' holds no words"):
        await checked(root, [Label(call="mute", claim=SORRY, label=True)])


def test_labels_are_read_from_yaml_and_from_csv(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        f"labels:\n  - {{call: one, claim: '{SORRY}', label: yes}}\n  - {{call: two, claim: '{SORRY}', label: fail}}\n"
    )
    (tmp_path / "a.csv").write_text(f'\ufeffcall,claim,label,who\none,"{SORRY}",Yes,anna\ntwo,"{SORRY}",0,ben\n')
    assert read(tmp_path / "a.csv") == read(tmp_path / "a.yaml")
    assert [label.label for label in read(tmp_path / "a.csv")] == [True, False]


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("a.csv", "call,claim,label\none,x,maybe\n", "a.csv:2 .*'maybe' is no label"),
        ("a.csv", "call,claim,label\none,x\n", "a.csv:2 "),
        ("a.csv", "call,claim\none,x\n", "first line must be 'call,claim,label'"),
        ("a.csv", "", "first line must be"),
        ("a.yaml", "labels: [{call: one, claim: x, label: ys}]", "a.yaml:1:.*'ys' is no label. Did you mean 'yes'"),
        ("a.yaml", "labels: []", "a.yaml:1:"),
    ],
)
def test_a_wrong_label_is_told_with_its_place(tmp_path: Path, file: str, text: str, says: str) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(BadInput, match=says):
        read(tmp_path / file)


def test_labels_that_are_not_there_are_told_so(tmp_path: Path) -> None:
    for name in ("none.csv", "none.yaml"):
        with pytest.raises(BadInput, match="none"):
            read(tmp_path / name)
