"""The service put together: every object is built here, top to bottom, in one visible list."""
