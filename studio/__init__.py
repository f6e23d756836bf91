"""The studio: a Textual app over the same files and event streams as everything else; no logic of its own."""
