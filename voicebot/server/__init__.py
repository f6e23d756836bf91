"""`voicebot serve`: the engine behind REST, websockets and a telephone network, for many agents and many calls.

    processes/   a supervisor that accepts and gives each connection to the worker with the most room; N workers that
                 share nothing: FastAPI on uvicorn, and the calls that arrived there
    capacity/    whether there is room for one more call
    site, desk   what all routes of one worker share; the calls it has
    rest/        the REST interface          twilio/  webhooks         streams  websockets that carry calls
    agents/      the agents of the project, and their files
    state/       who may (keys) and what was (calls): SQLite, or PostgreSQL; a registry in Redis for several machines

A call lives in one worker from its first to its last sound. Nothing of its audio path waits for a database.
"""
