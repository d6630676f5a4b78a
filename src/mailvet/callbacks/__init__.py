"""Tells callers that their batches ended: signed calls, repeated until they are heard."""
