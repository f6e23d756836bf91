"""Private data in what is said and written. One file a kind; `finding.py` puts them together."""
