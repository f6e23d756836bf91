"""How the peers are served: by uvicorn, as Pipecat's runner starts it, without its logs."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from loguru import logger


def serve(app: Any) -> None:
    """Serve an ASGI app on the port given on the command line until terminated."""
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
