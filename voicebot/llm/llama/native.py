"""llama.cpp by its C interface: weights, a context that holds several conversations, samplers. No policy in here.

All of it is called by one thread, the engine's; only `Context.abort` may be called by any.
Reference: https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Its threads wait for each other some hundred times a token. By default they do so by turning in circles, which takes
# the core away from the one that is waited for as soon as something else (a call's audio) wants to run: measured on two
# busy cores, 2 tokens a second instead of 13. OpenMP reads this when llama.cpp is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import llama_cpp

from voicebot.errors import BadInput, Unavailable
from voicebot.llm.llama import machine

CONTEXT_TOKENS = 16384
"""What all conversations of one engine hold together, when the model and the memory allow it."""
LEAST_CONTEXT_TOKENS = 2048
STEP_TOKENS, STEP_TOKENS_LARGE, STEP_TOKENS_GPU = 64, 32, 512
"""Tokens that are computed at once. A matrix product is not interrupted, so with more of them stopping takes longer;
for a model with more than `LARGE` weights, each product takes longer. On a CPU, more are hardly faster."""
LARGE = 5e9
DONE, FULL, ABORTED = 0, 1, 2
"""What `Context.decode` returns; anything else is an error."""
MAGIC = b"GGUF"
NO_CHAT = "is no model that answers in words. Those that do: voicebot models list"

_complaints: deque[str] = deque(maxlen=8)


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]  # llama_cpp is an extra
def _log(level: int, text: bytes, _: object) -> None:
    """Nothing goes to the terminal; what may explain a failure is kept."""
    if level >= 3 and text.strip():
        _complaints.append(text.decode(errors="replace").strip())


def _libc() -> Any:
    return ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)


# llama.cpp asks before each of the hundreds of steps of a computation whether to stop. Answered in Python, each answer
# would wait for the interpreter, 5 ms when another thread is busy. strlen of a flag that is "" or "\1" is an answer
# in C: false or true.
_IS_SET = ctypes.cast(_libc().strlen, llama_cpp.ggml_abort_callback)


class Weights:
    """A model file in memory, with its vocabulary and its metadata."""

    def __init__(self, path: Path) -> None:
        """Raises BadInput for a file that is no model, Unavailable when it does not fit into the memory."""
        _check(path)
        llama_cpp.llama_log_set(_log, None)
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = 0x7FFFFFFF if llama_cpp.llama_supports_gpu_offload() else 0
        _complaints.clear()
        self.path = path
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not self._model:
            raise BadInput(f"{path} cannot be loaded: {_complaint()}")
        self.vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self.size = int(llama_cpp.llama_vocab_n_tokens(self.vocabulary))
        if not self.size or llama_cpp.llama_model_has_encoder(self._model):
            self.free()
            raise BadInput(f"{path} {NO_CHAT}")
        self.trained_for = int(llama_cpp.llama_model_n_ctx_train(self._model))
        self.template = self.metadata("tokenizer.chat_template")
        self.begin = self._text(llama_cpp.llama_vocab_bos(self.vocabulary))
        self.end = self._text(llama_cpp.llama_vocab_eos(self.vocabulary))

    def metadata(self, key: str) -> str:
        """A value of the file's head as text; '' when it has none."""
        size = llama_cpp.llama_model_meta_val_str(self._model, key.encode(), None, 0)
        if size < 0:
            return ""
        buffer = ctypes.create_string_buffer(size + 1)
        llama_cpp.llama_model_meta_val_str(self._model, key.encode(), buffer, size + 1)
        return buffer.value.decode(errors="replace")

    def marks(self) -> list[str]:
        """The texts of all tokens that steer the model ('<|eot_id|>'), which nobody's words may contain."""
        steering = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
        attributes = ((token, llama_cpp.llama_vocab_get_attr(self.vocabulary, token)) for token in range(self.size))
        texts = [self._text(token) for token, attribute in attributes if attribute & steering]
        return [text for text in texts if len(text) > 2 and not text.isspace()]

    def _text(self, token: int) -> str:
        text: bytes | None = llama_cpp.llama_vocab_get_text(self.vocabulary, token) if token >= 0 else None
        return text.decode(errors="replace") if text else ""

    def tokens(self, text: str) -> list[int]:
        """`text` as tokens; special ones are read as such. The begin is added where the text does not bring it."""
        raw = text.encode()
        add_begin = not (self.begin and text.startswith(self.begin))
        found = (llama_cpp.llama_token * (len(raw) + 2))()
        count = llama_cpp.llama_tokenize(self.vocabulary, raw, len(raw), found, len(found), add_begin, True)
        return list(found[:count])

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for, maybe a part of a letter; those of special tokens too."""
        buffer = ctypes.create_string_buffer(64)
        size = llama_cpp.llama_token_to_piece(self.vocabulary, token, buffer, len(buffer), 0, True)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = llama_cpp.llama_token_to_piece(self.vocabulary, token, buffer, -size, 0, True)
        return buffer.raw[:size]

    def ends(self, token: int) -> bool:
        return bool(llama_cpp.llama_vocab_is_eog(self.vocabulary, token))

    def context(self, conversations: int) -> Context:
        """Room for so many conversations side by side. Raises Unavailable when the memory does not suffice."""
        need = self.path.stat().st_size
        per_token = self._memory_per_token()
        free = _free_memory()
        tokens = min(self.trained_for or CONTEXT_TOKENS, CONTEXT_TOKENS)
        while free and need + tokens * per_token > free and tokens > LEAST_CONTEXT_TOKENS:
            tokens //= 2
        context = None if free and need + tokens * per_token > free else self._context(tokens, conversations)
        if context is None:
            raise Unavailable(
                f"{self.path.name} needs {_gigabytes(need + tokens * per_token)} of memory and "
                f"{_gigabytes(free)} are free. Close something, or take a smaller model: voicebot models list"
            )
        if not context.remembers:
            context.free()
            raise BadInput(f"{self.path} {NO_CHAT}")
        return context

    def _memory_per_token(self) -> int:
        """Bytes that one token of a conversation takes: two numbers of 16 bits a layer, head and dimension."""
        heads = llama_cpp.llama_model_n_head(self._model) or 1
        of_head = llama_cpp.llama_model_n_embd(self._model) // heads
        return int(
            4 * llama_cpp.llama_model_n_layer(self._model) * llama_cpp.llama_model_n_head_kv(self._model) * of_head
        )

    def _context(self, tokens: int, conversations: int) -> Context | None:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = tokens
        params.n_batch = params.n_ubatch = step = self._step_tokens()
        params.n_seq_max = conversations
        params.kv_unified = True  # one store, in which conversations share what they have in common
        params.n_threads = params.n_threads_batch = machine.cores()
        params.no_perf = True
        raw = llama_cpp.llama_init_from_model(self._model, params)
        return Context(raw, tokens, conversations, step) if raw else None

    def _step_tokens(self) -> int:
        if llama_cpp.llama_supports_gpu_offload():
            return STEP_TOKENS_GPU
        return STEP_TOKENS_LARGE if llama_cpp.llama_model_n_params(self._model) > LARGE else STEP_TOKENS

    def free(self) -> None:
        llama_cpp.llama_model_free(self._model)


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    if magic != MAGIC:
        raise BadInput(f"{path} is no GGUF model. The known ones: voicebot models list")
    free = _free_memory()
    if free and path.stat().st_size > free:
        raise Unavailable(
            f"{path.name} needs {_gigabytes(path.stat().st_size)} of memory and {_gigabytes(free)} are free. "
            "Close something, or take a smaller model: voicebot models list"
        )


def _free_memory() -> int:
    """0 when nobody knows: a GPU has its own."""
    return 0 if llama_cpp.llama_supports_gpu_offload() else machine.free_memory()


def _complaint() -> str:
    return _complaints[0].rstrip(".") + "." if _complaints else "llama.cpp does not say why."


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"


@dataclass(frozen=True)
class Part:
    """Tokens that are to follow the `at` tokens of a conversation; `answer`: something is to be sampled behind them."""

    conversation: int
    at: int
    tokens: Sequence[int]
    answer: bool


class Context:
    """The computed state (KV cache) of some conversations, each known by its number."""

    def __init__(self, raw: Any, tokens: int, conversations: int, step_tokens: int) -> None:
        self.tokens = tokens
        self.conversations = conversations
        self.step_tokens = step_tokens
        self.raw = raw
        self._memory = llama_cpp.llama_get_memory(raw)
        self.remembers = bool(self._memory)
        """Models that only measure texts keep nothing."""
        self._batch = llama_cpp.llama_batch_init(step_tokens, 0, 1)
        self._flag = ctypes.create_string_buffer(2)
        llama_cpp.llama_set_abort_callback(raw, _IS_SET, ctypes.cast(self._flag, ctypes.c_void_p))

    def abort(self) -> None:
        """Stop the computation that runs now, or the next one, within one step of it. From any thread."""
        self._flag[0] = b"\1"

    def proceed(self) -> None:
        self._flag[0] = b"\0"

    def decode(self, parts: Sequence[Part]) -> tuple[int, list[int]]:
        """Compute: what came of it, and for each part where its answer can be sampled (-1 for those without)."""
        batch, row = self._batch, 0
        rows: list[int] = []
        for part in parts:
            for place, token in enumerate(part.tokens):
                batch.token[row], batch.pos[row] = token, part.at + place
                batch.n_seq_id[row], batch.seq_id[row][0] = 1, part.conversation
                batch.logits[row] = part.answer and place == len(part.tokens) - 1
                row += 1
            rows.append(row - 1 if part.answer else -1)
        batch.n_tokens = row
        return int(llama_cpp.llama_decode(self.raw, batch)), rows

    def cut(self, conversation: int, keep: int) -> bool:
        """Forget what follows the first `keep` tokens. False when this model can only forget all, which it then did."""
        if llama_cpp.llama_memory_seq_rm(self._memory, conversation, keep, -1):
            return True
        llama_cpp.llama_memory_seq_rm(self._memory, conversation, -1, -1)
        return False

    def copy(self, source: int, target: int, count: int) -> None:
        """Make the first `count` tokens of one conversation those of another, too. Nothing is computed or moved."""
        llama_cpp.llama_memory_seq_rm(self._memory, target, -1, -1)
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, 0, count)

    def clear(self) -> None:
        llama_cpp.llama_memory_clear(self._memory, True)

    def free(self) -> None:
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self.raw)
