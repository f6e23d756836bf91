"""Two runs of a suite compared: `compare(a, b)` says regressed, improved or no evidence, and why.

The statistics are explained in docs/metrics.md.
"""

from __future__ import annotations

from .comparison import Comparison, Flips, NoiseFloor, Reason, Settings, Trend
from .noise import noise_floor
from .verdict import compare

__all__ = ["Comparison", "Flips", "NoiseFloor", "Reason", "Settings", "Trend", "compare", "noise_floor"]
