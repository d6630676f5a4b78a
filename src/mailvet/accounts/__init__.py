"""Who may come in and what they may do: keys, scopes, limits, usage."""
