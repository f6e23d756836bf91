"""voicebot: create, talk to, test and serve voice AI agents."""

import os

__version__ = "0.1.0"

# Whatever runs here stays here: ONNX Runtime reports on its use to its maker, from its wheels of 1.32 on, unless it is
# told not to before it is loaded (github.com/microsoft/onnxruntime/pull/27379); so does the hub of models.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
