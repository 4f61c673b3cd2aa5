"""The append-only book: entries, documents, rows; the one synchronous port to the disk."""
