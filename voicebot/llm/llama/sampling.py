"""Choosing the next token, freely or within a grammar."""

from __future__ import annotations

import ctypes
from typing import Any

import llama_cpp
import numpy as np

from voicebot.llm.llama.native import Context, Weights

TEMPERATURE = 0.6
TOP_P = 0.9
"""What Llama 3's own settings file says."""
TOP_K = 40

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
"""llama.h's `llama_token_data`."""


class Sampler:
    """Chooses the tokens of one answer. `grammar` (GBNF) may begin and end to hold anywhere in it."""

    def __init__(self, weights: Weights, temperature: float | None, seed: int) -> None:
        """A temperature of 0 takes the likeliest token, always."""
        warmth = TEMPERATURE if temperature is None else temperature
        self._weights = weights
        self._grammar: Any = None
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for link in _links(warmth, seed):
            llama_cpp.llama_sampler_chain_add(self._chain, link)

    def constrain(self, grammar: str) -> bool:
        """Only what `grammar` allows from here on. False when llama.cpp cannot use it; then nothing is changed."""
        made = llama_cpp.llama_sampler_init_grammar(self._weights.vocabulary, grammar.encode(), b"root")
        if made:
            self._release()
            self._grammar = made
        return bool(made)

    def choose(self, context: Context, row: int) -> int | None:
        """The next token after what was computed at `row`; None when the grammar allows none."""
        token = int(llama_cpp.llama_sampler_sample(self._chain, context.raw, row))
        if self._grammar is None:
            return token
        # Asking for one token is cheap, asking for the whole vocabulary is not, and mostly the first choice is good.
        if not self._allows(token):
            among = self._among_allowed(context, row)
            if among is None:
                return None
            token = among
        llama_cpp.llama_sampler_accept(self._grammar, token)
        return token

    def _allows(self, token: int) -> bool:
        one = np.array([(token, 1.0, 0.0)], _CANDIDATE)
        llama_cpp.llama_sampler_apply(self._grammar, ctypes.byref(_listed(one)))
        return bool(np.isfinite(one["logit"][0]))

    def _among_allowed(self, context: Context, row: int) -> int | None:
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context.raw, row), (self._weights.size,))
        all_ = np.zeros(self._weights.size, _CANDIDATE)
        all_["id"], all_["logit"] = np.arange(self._weights.size), logits
        listed = _listed(all_)
        llama_cpp.llama_sampler_apply(self._grammar, ctypes.byref(listed))
        if not np.isfinite(all_["logit"]).any():
            return None
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(listed))
        return int(listed.data[listed.selected].id)

    def free(self) -> None:
        self._release()
        llama_cpp.llama_sampler_free(self._chain)

    def _release(self) -> None:
        if self._grammar is not None:
            llama_cpp.llama_sampler_free(self._grammar)
            self._grammar = None


def _links(temperature: float, seed: int) -> list[Any]:
    if temperature <= 0:
        return [llama_cpp.llama_sampler_init_greedy()]
    return [
        llama_cpp.llama_sampler_init_top_k(TOP_K),
        llama_cpp.llama_sampler_init_top_p(TOP_P, 1),
        llama_cpp.llama_sampler_init_temp(temperature),
        llama_cpp.llama_sampler_init_dist(seed),
    ]


def _listed(candidates: np.ndarray[Any, Any]) -> Any:
    data = candidates.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
    return llama_cpp.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)
