"""Pure judges: one observation in, one finding with a closed outcome out; no I/O, no clock."""
