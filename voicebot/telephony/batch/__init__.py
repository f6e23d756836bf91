"""Many calls that go out, one after the other and some at once, each number once.

contacts.py    the file with the numbers
ledger.py      what is kept of each number, so that a crash loses nothing
rest.py        the server that makes the calls
looking.py     what became of its calls
run.py         the batch: pace, how many at once, retries, what became of each
"""
