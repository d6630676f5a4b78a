"""Conclusions: findings in, status, classification, score and category out; pure."""

from mailvet.verdict.conclude import Verdict, conclude
from mailvet.verdict.points import Weights

__all__ = ["Verdict", "Weights", "conclude"]
