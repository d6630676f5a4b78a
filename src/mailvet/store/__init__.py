"""How things are kept: one contract, an embedded SQLite store, and a memory store for tests."""
