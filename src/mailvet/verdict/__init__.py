"""Conclusions: findings in, status, classification, score and category out; pure."""

from mailvet.verdict.conclude import Verdict, conclude

__all__ = ["Verdict", "conclude"]
