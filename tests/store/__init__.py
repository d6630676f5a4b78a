"""What the stores promise."""
