"""A batch's life as callers see it: create, fill, launch, watch, read, delete."""
