"""A Whisper model of half a megabyte in faster-whisper's format. It hears the same sentence whoever speaks, the more
words of it the longer they do, and nothing in silence.

How: in the encoder only the convolutions do something: they tell loud frames from quiet ones. The decoder's attention
looks at all frames alike, so it sees what share of them is loud. Each word's embedding leads to the next word if that
share is large enough, and else to the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ctranslate2.specs import whisper_spec
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from voicebot.stt.reading import window_s

Weights = npt.NDArray[np.float32]

SENTENCE = "i would like to book a cleaning on tuesday morning please"
SPECIAL = "endoftext startoftranscript transcribe translate startoflm startofprev nospeech notimestamps".split()
_MELS, _SIZE, _FRAMES, _POSITIONS = 80, 64, 1500, 448
_LOUD, _SHARE, _COUNTERWEIGHT, _FIRST_TOKEN = 0, 1, 4, 5
"""Where the encoder says that a frame is loud, where the decoder sees the share of such frames, what keeps the mean at
zero, and where the first token of the vocabulary stands in the decoder."""
_STEADY = 10.0
"""Layer norms divide by little else than what two dimensions, +10 and -10, add: so all others keep their scale."""
_LOUD_AFTER_NORM = 7.8
_NEXT, _BY_SHARE, _BY_SILENCE, _LEAST_SHARE = 8.0, 60.0, 60.0, 0.01


def tiny_whisper(
    folder: Path, sentence: str = SENTENCE, *, word_ms: int = 200, languages: tuple[str, ...] = ()
) -> Path:
    """Makes the model in `folder`. It hears one more word for each `word_ms` of sound. No word may come twice.

    With `languages` it is multilingual and takes all speech for the first of them.
    """
    words = sentence.split()
    assert len(set(words)) == len(words), "the next word is found by the last one"
    vocabulary = [*words, "<unk>", *(f"<|{name}|>" for name in (*SPECIAL, *languages))]
    if languages:
        vocabulary.append("")  # what OpenAI's multilingual vocabularies have; CTranslate2 knows them by it
    spec = whisper_spec.WhisperSpec(1, 1, 1, 1)
    _encoder(spec.encoder)
    seconds = [(number + 1) * word_ms / 1000 for number in range(len(words))]
    _decoder(spec.decoder, vocabulary, [each / window_s(each) for each in seconds])
    spec.register_vocabulary(vocabulary)
    spec.config.alignment_heads = [(0, 0)]
    spec.config.lang_ids = [vocabulary.index(f"<|{name}|>") for name in languages]
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.validate()
    spec.optimize()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    _tokenizer(vocabulary).save(str(folder / "tokenizer.json"))
    return folder


def _tokenizer(vocabulary: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(vocabulary)}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return tokenizer


def _encoder(encoder: Any) -> None:
    encoder.conv1.weight, encoder.conv1.bias = _zeros(_SIZE, _MELS, 3), _zeros(_SIZE)
    encoder.conv1.weight[_LOUD, :, 1] = 300 / _MELS  # how far the mean level of the bands ...
    encoder.conv1.bias[_LOUD] = -300 * 0.1  # ... is above what a line hums
    encoder.conv2.weight, encoder.conv2.bias = _zeros(_SIZE, _SIZE, 3), _zeros(_SIZE)
    encoder.conv2.weight[_LOUD, _LOUD, 1] = 1.0
    encoder.position_encodings.encodings = _steady(_FRAMES)
    _attends_to_nothing(encoder.layer[0], self_attention=(3, 1))
    _norm(encoder.layer_norm)


def _decoder(decoder: Any, vocabulary: list[str], least_shares: list[float]) -> None:
    decoder.embeddings.weight = _zeros(len(vocabulary), _SIZE)
    tokens = range(len(vocabulary))
    decoder.embeddings.weight[tokens, [_FIRST_TOKEN + token for token in tokens]] = _STEADY
    decoder.embeddings.weight[:, _COUNTERWEIGHT] = -_STEADY
    decoder.position_encodings.encodings = _steady(_POSITIONS)
    (layer,) = decoder.layer
    _attends_to_nothing(layer, self_attention=(3, 1), attention=(1, 2, 1))
    layer.attention.linear[1].weight[_SIZE + _SHARE, _LOUD] = 1.0  # the values; queries and keys are all the same
    layer.attention.linear[2].weight[_SHARE, _SHARE] = _STEADY / _LOUD_AFTER_NORM
    layer.attention.linear[2].weight[_COUNTERWEIGHT, _SHARE] = -_STEADY / _LOUD_AFTER_NORM
    _norm(decoder.layer_norm)
    _linear(decoder.projection, _next_tokens(vocabulary, least_shares))


def _next_tokens(vocabulary: list[str], least_shares: list[float]) -> Weights:
    """Row by row, what speaks for a token: the token before it and the share of loud frames."""
    at = {token: number for number, token in enumerate(vocabulary)}
    rows = _zeros(len(vocabulary), _SIZE)
    before = [at["<|notimestamps|>"], *range(len(least_shares))]
    for word, share in enumerate(least_shares):
        rows[word, [_SHARE, _FIRST_TOKEN + before[word]]] = _BY_SHARE, _NEXT
        rows[at["<|endoftext|>"], _FIRST_TOKEN + before[word]] = _NEXT + _BY_SHARE * share
    rows[at["<|endoftext|>"], _FIRST_TOKEN + before[-1]] = 2 * _NEXT + _BY_SHARE
    if "" in at:
        first_language = at[f"<|{SPECIAL[-1]}|>"] + 1
        rows[first_language, _FIRST_TOKEN + at["<|startoftranscript|>"]] = _BY_SHARE
    rows[at["<|nospeech|>"], _SHARE] = -_BY_SILENCE
    rows[at["<|nospeech|>"], _FIRST_TOKEN + at["<|startoftranscript|>"]] = (_BY_SHARE + _BY_SILENCE) * _LEAST_SHARE
    return rows


def _attends_to_nothing(layer: Any, **attentions: tuple[int, ...]) -> None:
    """All weights of a layer are zero; `attentions` are the sizes of their matrices, in widths of the model."""
    for name, sizes in attentions.items():
        attention = getattr(layer, name)
        _norm(attention.layer_norm)
        for linear, size in zip(attention.linear, sizes, strict=True):
            _linear(linear, _zeros(size * _SIZE, _SIZE))
    _norm(layer.ffn.layer_norm)
    _linear(layer.ffn.linear_0, _zeros(_SIZE, _SIZE))
    _linear(layer.ffn.linear_1, _zeros(_SIZE, _SIZE))


def _zeros(*shape: int) -> Weights:
    return np.zeros(shape, np.float32)


def _steady(positions: int) -> Weights:
    encodings = _zeros(positions, _SIZE)
    encodings[:, 2], encodings[:, 3] = _STEADY, -_STEADY
    return encodings


def _norm(spec: Any) -> None:
    spec.gamma, spec.beta = np.ones(_SIZE, np.float32), _zeros(_SIZE)


def _linear(spec: Any, weight: Weights) -> None:
    spec.weight, spec.bias = weight, _zeros(len(weight))
