"""Plain frozen values that every other room may hold; they know nothing of I/O."""
