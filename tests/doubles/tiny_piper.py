"""A Piper voice of a few hundred kilobytes: a real .onnx file that speaks every phoneme as a short tone, always the
same. It has as many speakers as wanted, each with its own pitch, and obeys the speaking rate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE_HZ = 22_050
PHONEME_MS = 30
PHONEMES = "_^$ !'(),-.:;?abcdefghijklmnopqrstuvwxyzæçðøħŋœβθχᵻ" + "".join(map(chr, range(0x250, 0x2E0)))
"""Padding, begin, end, then what eSpeak writes: punctuation, Latin letters and Unicode's phonetic blocks."""
_SAMPLES = RATE_HZ * PHONEME_MS // 1000


def tiny_piper(folder: Path, name: str = "tones", speakers: tuple[str, ...] = ()) -> Path:
    """Makes the voice NAME.onnx and its NAME.onnx.json in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.onnx"
    onnx.save(_model(max(1, len(speakers)), bool(speakers)), file)
    settings = {
        "audio": {"sample_rate": RATE_HZ},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.0, "length_scale": 1.0, "noise_w": 0.0},
        "phoneme_type": "espeak",
        "phoneme_id_map": {phoneme: [number] for number, phoneme in enumerate(PHONEMES)},
        "num_symbols": len(PHONEMES),
        "num_speakers": max(1, len(speakers)),
        "speaker_id_map": {speaker: number for number, speaker in enumerate(speakers)},
    }
    Path(f"{file}.json").write_text(json.dumps(settings))
    return file


def _tones(speakers: int) -> np.ndarray:
    """The sound of each phoneme by each speaker; padding between phonemes is silent and as long."""
    time = np.arange(_SAMPLES) / RATE_HZ
    hz = 200 * 2 ** (np.arange(len(PHONEMES)) % 48 / 24)[None, :, None] * (1 + np.arange(speakers))[:, None, None]
    tones = 0.3 * np.sin(2 * np.pi * hz * time) * np.hanning(_SAMPLES)
    tones[:, 0] = 0
    return tones.astype(np.float32)


def _model(speakers: int, choice: bool) -> onnx.ModelProto:
    """ids -> Gather tones -> one row -> Resize by the length scale -> (1, 1, samples), as Piper's models give it."""
    constants = {
        "tones": _tones(speakers),
        "one": np.array([1], np.int64),
        "two": np.array([2], np.int64),
        "row": np.array([1, 1, -1], np.int64),
        "ones": np.array([1, 1], np.float32),
        "first": np.array([0], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["tones", "sid" if choice else "first"], ["own"], axis=0),
        helper.make_node("Squeeze", ["own", "first"], ["table"]),
        helper.make_node("Gather", ["table", "input"], ["sounds"], axis=0),
        helper.make_node("Reshape", ["sounds", "row"], ["samples"]),
        helper.make_node("Slice", ["scales", "one", "two"], ["length"]),
        helper.make_node("Concat", ["ones", "length"], ["factors"], axis=0),
        helper.make_node("Resize", ["samples", "", "factors"], ["output"], mode="linear"),
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, "phonemes"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if choice:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, "samples"])]
    initial = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tones", inputs, outputs, initial)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
