"""One supervisor and its workers: who accepts, who has the calls, what happens when one of them dies."""
