"""What the service says about itself: log lines with a verb, and counters."""
