"""`voicebot serve`: the engine behind REST, websockets and a telephone network, for many agents and many calls.

    supervisor   one process: owns the listening socket, gives each connection to the worker with the most room
    worker       N processes that share nothing: FastAPI on uvicorn, and the calls that arrived there
    state        who may (keys) and what was (calls): SQLite, or PostgreSQL; a registry in Redis for several machines

A call lives in one worker from its first to its last sound. Nothing of its audio path waits for a database.
"""
