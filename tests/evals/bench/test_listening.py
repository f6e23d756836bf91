"""A blind comparison: nobody knows the order, votes add up, and the test is exact."""

from __future__ import annotations

import pytest

from voicebot.errors import BadInput
from voicebot.evals.bench import listening
from voicebot.evals.bench.listening import Trial, Vote, sign_test


@pytest.mark.parametrize(
    ("for_a", "for_b", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),  # both outcomes of one toss are as uneven
        (5, 0, 2 / 32),
        (0, 6, 2 / 64),
        (8, 2, 2 * (1 + 10 + 45) / 1024),  # 10, 9 or 8 of 10, on either side: 112 of 1024
        (9, 1, 2 * (1 + 10) / 1024),
        (7, 3, 2 * (1 + 10 + 45 + 120) / 1024),
        (5, 5, 1.0),  # more than the whole would be counted twice
        (15, 5, 2 * (1 + 20 + 190 + 1140 + 4845 + 15504) / 2**20),
    ],
)
def test_the_sign_test_agrees_with_a_count_by_hand(for_a, for_b, p):
    assert sign_test(for_a, for_b) == pytest.approx(p)
    assert sign_test(for_b, for_a) == pytest.approx(p)


def vote(choice, item="x", listener="kim", a="A", b="B") -> Vote:
    return Vote(a=a, b=b, item=item, first="a", vote=choice, listener=listener, at="2026-11-23T10:00:00+00:00")


def votes(for_a: int, for_b: int, ties: int = 0) -> list[Vote]:
    choices = ["a"] * for_a + ["b"] * for_b + ["same"] * ties
    return [vote(choice, item=f"item {number}") for number, choice in enumerate(choices)]


@pytest.mark.parametrize(
    ("for_a", "for_b", "verdict"),
    [
        (9, 1, "A is preferred (p = 0.021)"),
        (1, 9, "B is preferred (p = 0.021)"),
        (8, 2, "no evidence of a preference (p = 0.109)"),
        (5, 0, "too few votes to say: with 5 no difference could be significant, 6 are the least"),
        (20, 0, "A is preferred (p < 0.001)"),
    ],
)
def test_the_verdict_is_plain(for_a, for_b, verdict):
    assert listening.count(votes(for_a, for_b)).verdict == verdict


def test_ties_are_counted_apart():
    result = listening.count(votes(6, 0, ties=30))
    assert (result.n, result.ties, result.share_a) == (6, 30, 1.0)
    assert result.p == pytest.approx(2 / 64)


def test_of_one_listener_on_one_item_the_newest_vote_counts():
    result = listening.count([vote("a"), vote("b"), vote("a", listener="lee")])
    assert (result.for_a, result.for_b, result.listeners) == (1, 1, 2)


def test_votes_on_the_same_two_the_other_way_round_add_up():
    result = listening.count([vote("a"), vote("b", item="y", a="B", b="A")])
    assert (result.for_a, result.for_b) == (2, 0)
    with pytest.raises(BadInput, match="stand beside"):
        listening.count([vote("a"), vote("a", a="C")])


def test_the_order_is_random_but_can_be_had_again():
    items = [f"item {number}" for number in range(40)]
    once, again, other = (listening.trials(items, seed) for seed in (1, 1, 2))
    assert once == again != other
    assert sorted(trial.item for trial in once) == sorted(items)
    assert 8 < sum(trial.first == "a" for trial in once) < 32


def test_an_answer_means_the_side_that_was_played_there():
    trial = Trial(1, "x", first="b")
    assert [trial.choice(answer) for answer in "120"] == ["b", "a", "same"]


def test_votes_are_appended_and_read_again(tmp_path):
    path = tmp_path / "votes" / "v.jsonl"
    listening.keep(path, [vote("a")])
    listening.keep(path, [vote("b", listener="lee")])
    assert [each.vote for each in listening.read(path)] == ["a", "b"]
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(BadInput, match=r"v\.jsonl:3: no vote"):
        listening.read(path)


def test_an_answer_sheet_is_read_with_its_key(tmp_path):
    plan = listening.trials(["x", "y", "z"], seed=4)
    listening.lay_out(tmp_path, ("A", "B"), plan, tmp_path / "v.jsonl")
    sheet = tmp_path / listening.ANSWERS
    with pytest.raises(BadInput, match="no answers in it yet"):
        listening.answered(sheet, "kim")
    sheet.write_text(sheet.read_text().replace("01: ", "01: 1").replace("03: ", "03: 0"))
    found, file = listening.answered(sheet, "kim")
    assert [(each.item, each.vote) for each in found] == [(plan[0].item, plan[0].first), (plan[2].item, "same")]
    assert file == tmp_path / "v.jsonl"
    sheet.write_text("1: 7\n")
    with pytest.raises(BadInput, match="is no answer"):
        listening.answered(sheet, "kim")
