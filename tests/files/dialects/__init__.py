"""Tests of mailvet.files.dialects."""
