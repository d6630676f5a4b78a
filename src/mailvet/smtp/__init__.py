"""The dialogue with one exchanger: what to ask, in which words, for how long, and what came."""

from mailvet.smtp.envelope import Envelope
from mailvet.smtp.identity import Identity, IdentityPool
from mailvet.smtp.limits import VisitLimits
from mailvet.smtp.plan import Plan
from mailvet.smtp.report import Report
from mailvet.smtp.transcript import Direction, Line
from mailvet.smtp.visit import visit

__all__ = [
    "Direction",
    "Envelope",
    "Identity",
    "IdentityPool",
    "Line",
    "Plan",
    "Report",
    "VisitLimits",
    "visit",
]
