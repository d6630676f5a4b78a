"""Generated stubs of package mailvet.v1; never edited."""
