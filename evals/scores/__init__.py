"""The figures of calls: `measure` one, `summarise` many. Definitions, with worked examples: docs/metrics.md."""

from __future__ import annotations

from .call import measure
from .percentile import Percentiles, percentiles, quantile
from .summary import Group, Passes, PassK, Summary, summarise
from .table import Row

__all__ = [
    "Group",
    "PassK",
    "Passes",
    "Percentiles",
    "Row",
    "Summary",
    "measure",
    "percentiles",
    "quantile",
    "summarise",
]
