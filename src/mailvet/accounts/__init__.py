"""Who may come in, what they may do, and how much: keys, tokens, scopes, limits, usage, audit."""
