"""The account at a telephone network: its numbers, calls, conferences and recordings, beside the calls themselves.

account.py         who we are there, and every request to it
numbers.py         telephone numbers: search, buy, list, point, release
pointed.py         a number that is lent to this machine, and given back as it was
tunnel.py          a public address for a server on this machine
emulated.py        a telephone network on this machine: the same webhooks, without an account
media_stream.py    ... and the same Media Streams
phonebook.py       the telephone settings of a project, phone.yaml
routing.py         who takes a call that comes in; hours.py, e164.py: what its rules ask about
outbound.py        calls that go out; quiet.py: when they may; batch/: many of them
"""
