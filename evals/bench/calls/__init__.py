"""How many calls a server carries: real Media Streams calls from other processes, until a budget breaks.

    study ─▶ search (which level next) ─▶ level (one server, N calls, one window) ─▶ figures ─▶ budget (what broke)
                                            │
              systems/ (the servers) ◀── under_test      crowd ─▶ caller ─▶ line (client processes, with a plan)

`script` is what callers say and when an answer can be due, `stubs` what all servers answer, `chart` what is printed.
How it is measured: docs/bench-calls.md.
"""
