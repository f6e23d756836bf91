"""Real GGUF models that tests write themselves: small enough to load in milliseconds, run by the real llama.cpp.

`scripted` says what it is told to. Its layers are zero, so what follows a token depends on that token alone: every
reply is a chain of tokens of its own, and the chat template, which the real code renders, ends the prompt with the
token that begins the right chain. Off its chain, where a grammar may lead it, it prefers to come to an end.

`random_weights` says gibberish, but every byte of it depends on all that came before, and computing it takes time:
for what must not change (after a cancelled request, with a reused prefix, beside another call) and what must be fast.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import gguf
import numpy as np

BEGIN, END = "<|begin_of_text|>", "<|eot_id|>"
SPECIAL = (BEGIN, END, "<|start_header_id|>", "<|end_header_id|>", "<|python_tag|>")
DUMMY = "ab"
"""A merge list may not be empty; everything else is cut into bytes."""
WANTED = {END: 5.0, '"': 4.0, "}": 3.0, ":": 2.5, ",": 2.0, "{": 1.5, "1": 1.0}
"""What the scripted model prefers where its script cannot go on, so that a grammar brings it to a short end."""
CERTAIN = 20.0
"""The logit of the scripted token."""

Array = np.ndarray[Any, np.dtype[np.floating[Any]]]

LLAMA_3 = """\
{{- bos_token -}}
{%- if tools %}{{ '<|start_header_id|>tools<|end_header_id|>' + tools | tojson + '<|eot_id|>' }}{% endif -%}
{%- for message in messages -%}
{{- '<|start_header_id|>' + message.role + '<|end_header_id|>' -}}
{%- for call in message.tool_calls or [] -%}
{"name": "{{ call.function.name }}", "parameters": {{ call.function.arguments | tojson }}}
{%- endfor -%}
{{- message.content + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>' }}{% endif -%}
"""
"""Llama 3's headers, with the tools in front."""
HERMES = LLAMA_3.replace('{"name"', '<tool_call>{"name"').replace('"parameters"', '"arguments"')
"""The same with another syntax of calls."""


def scripted(
    path: Path, replies: Mapping[str, str | Sequence[str]], *, template: str = LLAMA_3, context: int = 8192
) -> Path:
    """A model that answers a last message containing one of the keys with its reply; '' answers all others.

    A reply is cut into tokens at its spaces, or is given in tokens.
    """
    triggers = {key: f"<|reply_{number}|>" for number, key in enumerate(replies)}
    chains = _chains({triggers[key]: reply for key, reply in replies.items()})
    texts = _bytes() + [*SPECIAL, *triggers.values()] + [_written(text) for chain in chains.values() for text in chain]
    follows = _follows(texts, chains)
    width = 64 * -(-(len(follows) + 1) // 64)
    embedding, output = np.zeros((len(texts), width), np.float32), np.zeros((len(texts), width), np.float32)
    embedding[:, 0] = 1.0
    for dimension, (before, after) in enumerate(follows.items(), start=1):
        embedding[before, dimension] = 1.0
        output[after, dimension] = CERTAIN
    for text, wish in WANTED.items():
        output[texts.index(text), 0] = wish
    writer = _writer(path, texts, template + _choice(triggers), context, width=width, layers=1, heads=2)
    block = {name: np.zeros(shape, np.float32) for name, shape in _shapes(width, 32).items()}
    return _write(writer, width, [block], embedding, output / np.sqrt(width))


def random_weights(
    path: Path,
    *,
    layers: int = 2,
    width: int = 128,
    feed_forward: int = 256,
    context: int = 8192,
    seed: int = 7,
    half: bool = False,
) -> Path:
    """A model whose every weight counts; 2 layers of 128 make 1.5 MB. `half`: in half precision."""
    texts = [*_bytes(), *SPECIAL]
    rng = np.random.default_rng(seed)

    def drawn(rows: int, columns: int) -> Array:
        return rng.standard_normal((rows, columns), np.float32) / np.float32(np.sqrt(columns))

    blocks = [{name: drawn(*shape) for name, shape in _shapes(width, feed_forward).items()} for _ in range(layers)]
    embedding, output = drawn(len(texts), width), 8 * drawn(len(texts), width)
    output[: ord(" ")] = output[127:] = 0.0  # it says only what can be read, and never ends by itself
    writer = _writer(path, texts, LLAMA_3, context, width=width, layers=layers, heads=width // 64, feed=feed_forward)
    if half:
        blocks = [{name: weights.astype(np.float16) for name, weights in block.items()} for block in blocks]
    return _write(writer, width, blocks, embedding, output)


def _choice(triggers: Mapping[str, str]) -> str:
    """The end of the template: the token of the first reply whose key is in the last message."""
    tests = "".join(f"{{%- elif {key!r} in last %}}{{{{ '{token}' }}}}" for key, token in triggers.items() if key)
    return (
        "{%- if add_generation_prompt -%}{%- set last = messages[-1].content -%}{%- if not messages -%}"
        f"{tests}{{%- else %}}{{{{ '{triggers.get('', '')}' }}}}{{%- endif -%}}{{%- endif -%}}"
    )


def _chains(replies: Mapping[str, str | Sequence[str]]) -> dict[str, list[str]]:
    """Trigger -> the pieces of its reply, cut at spaces; no piece twice, since each stands for its place."""
    used: set[str] = set()
    chains: dict[str, list[str]] = {}
    for trigger, reply in replies.items():
        pieces: list[str] = []
        waiting = ""
        for word in re.findall(r"\s*\S+", reply) if isinstance(reply, str) else reply:
            waiting += word
            if len(waiting) > 1 and waiting not in used:
                pieces.append(waiting)
                used.add(waiting)
                waiting = ""
        if waiting:
            pieces[-1:] = [(pieces[-1] if pieces else "") + waiting]
            used.add(pieces[-1])
        chains[trigger] = pieces
    return chains


def _follows(texts: list[str], chains: Mapping[str, list[str]]) -> dict[int, int]:
    """Token -> the one that follows it."""
    follows: dict[int, int] = {}
    for trigger, chain in chains.items():
        path = [trigger, *map(_written, chain), END]
        follows |= {texts.index(before): texts.index(after) for before, after in pairwise(path)}
    return follows


def _bytes() -> list[str]:
    return [*(_letter(byte) for byte in range(256)), DUMMY]


def _letter(byte: int) -> str:
    """The letter that stands for a byte in GPT-2's vocabularies: its own if it can be seen, else one from U+0100 on."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return chr(byte) if byte in seen else chr(256 + [other for other in range(256) if other not in seen].index(byte))


def _written(text: str) -> str:
    """`text` as a vocabulary writes it."""
    return text if text in SPECIAL else "".join(map(_letter, text.encode()))


def _shapes(width: int, feed: int) -> dict[str, tuple[int, int]]:
    """Weights of one layer: (outputs, inputs)."""
    attention = {f"attn_{name}": (width, width) for name in ("q", "k", "v", "output")}
    return attention | {"ffn_gate": (feed, width), "ffn_up": (feed, width), "ffn_down": (width, feed)}


def _writer(
    path: Path, texts: list[str], template: str, context: int, *, width: int, layers: int, heads: int, feed: int = 32
) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(feed)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_rope_dimension_count(width // heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(len(texts))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(texts)
    special = {text for text in texts if re.fullmatch(r"<\|\w+\|>", text)}
    writer.add_token_types([gguf.TokenType.CONTROL if text in special else gguf.TokenType.NORMAL for text in texts])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(texts.index(BEGIN))
    writer.add_eos_token_id(texts.index(END))
    writer.add_chat_template(template)
    return writer


def _write(
    writer: gguf.GGUFWriter, width: int, blocks: list[dict[str, Array]], embedding: Array, output: Array
) -> Path:
    ones = np.ones(width, np.float32)
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("output.weight", output.astype(np.float32))
    for layer, block in enumerate(blocks):
        for name, weights in {"attn_norm": ones, "ffn_norm": ones, **block}.items():
            writer.add_tensor(f"blk.{layer}.{name}.weight", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert isinstance(writer.path, Path)
    return writer.path
