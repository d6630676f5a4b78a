"""The wire: what callers send and get, over gRPC."""
