from __future__ import annotations

import math

import pytest

from voicebot.stt.arpa import Background, Smoothing, model

Model = tuple[dict[tuple[str, ...], float], dict[tuple[str, ...], float]]


def read(text: str) -> Model:
    """(probabilities, back-off weights) of an ARPA text."""
    likely: dict[tuple[str, ...], float] = {}
    backoff: dict[tuple[str, ...], float] = {}
    order = 0
    for line in text.splitlines():
        if line.endswith("-grams:"):
            order = int(line[1])
        elif order and line and not line.startswith("\\"):
            fields = line.split()
            gram = tuple(fields[1 : 1 + order])
            likely[gram] = 10 ** float(fields[0])
            backoff[gram] = 10 ** float(fields[1 + order]) if len(fields) > 1 + order else 1.0
    return likely, backoff


def probability(read_model: Model, word: str, *history: str) -> float:
    likely, backoff = read_model
    if (*history, word) in likely:
        return likely[(*history, word)]
    return backoff.get(history, 1.0) * probability(read_model, word, *history[1:]) if history else 0.0


SENTENCES = {"book a cleaning": 3.0, "book a visit": 1.0, "cancel a visit": 2.0, "yes": 5.0}
GENERAL = Background(
    words={("book",): 0.1, ("a",): 0.5, ("dog",): 0.4},
    pairs={("a", "dog"): 0.6, ("dog", "</s>"): 0.9, ("<s>", "a"): 0.5, ("a", "unheard"): 0.1},
)


@pytest.mark.parametrize("background", [None, GENERAL])
@pytest.mark.parametrize("history", [(), ("a",), ("book",), ("<s>",), ("book", "a"), ("<s>", "yes"), ("dog",)])
def test_what_may_follow_adds_up_to_one(background: Background | None, history: tuple[str, ...]) -> None:
    arpa = read(model(SENTENCES, ["toothache", "dog"], background))
    words = [gram[0] for gram in arpa[0] if len(gram) == 1 and gram != ("<s>",)]
    assert sum(probability(arpa, word, *history) for word in words) == pytest.approx(1, abs=0.01)


def test_what_was_said_is_likelier_than_what_was_not() -> None:
    arpa = read(model(SENTENCES))
    assert probability(arpa, "cleaning", "book", "a") > probability(arpa, "cleaning", "cancel", "a")
    assert probability(arpa, "cleaning", "book", "a") > 5 * probability(arpa, "yes", "book", "a")


def test_weights_count() -> None:
    often, seldom = (read(model({**SENTENCES, "no": weight})) for weight in (50.0, 1.0))
    assert probability(often, "no", "<s>") > 3 * probability(seldom, "no", "<s>")


def test_words_never_seen_in_a_sentence_can_be_heard() -> None:
    arpa = read(model(SENTENCES, ["toothache"]))
    assert probability(arpa, "toothache", "book", "a") > 0


def test_the_background_decides_where_the_sentences_know_nothing() -> None:
    arpa = read(model(SENTENCES, ["cat"], GENERAL))
    assert probability(arpa, "dog", "a") > 10 * probability(arpa, "cat", "a")
    assert probability(arpa, "cleaning", "book", "a") > probability(arpa, "dog", "book", "a")
    assert not any("unheard" in gram for gram in arpa[0])


def test_smoothing_can_be_turned() -> None:
    cautious = read(model(SENTENCES, smoothing=Smoothing(discount=0.99)))
    trusting = read(model(SENTENCES, smoothing=Smoothing(discount=0.1)))
    assert probability(trusting, "cleaning", "book", "a") > probability(cautious, "cleaning", "book", "a")


def test_counts_in_the_header_are_those_of_the_file() -> None:
    text = model(SENTENCES, ["toothache"], GENERAL)
    likely, _ = read(text)
    for order in (1, 2, 3):
        assert f"ngram {order}={sum(len(gram) == order for gram in likely)}" in text
    assert math.isfinite(sum(likely.values()))
