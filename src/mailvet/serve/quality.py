"""How hard this server tries at each quality level, put together from those who do it."""

from mailvet.config import Settings
from mailvet.engine.retry import WAITS_S
from mailvet.model.quality import QualityTerms
from mailvet.model.status import QualityLevel
from mailvet.smtp import VisitLimits


def quality_terms(settings: Settings) -> tuple[QualityTerms, ...]:
    """Return the terms of every quality level, the quickest first."""
    return tuple(
        _terms(quality, settings)
        for quality in QualityLevel
        if quality is not QualityLevel.UNSPECIFIED
    )


def _terms(quality: QualityLevel, settings: Settings) -> QualityTerms:
    limits = VisitLimits.of(quality).scaled(settings.time_scale)
    return QualityTerms(
        quality=quality,
        retry_delays_s=tuple(wait * settings.retry_scale for wait in WAITS_S[quality]),
        connect_s=limits.connect_s,
        greeting_s=limits.banner_s,
        command_s=limits.command_s,
        attempt_s=limits.visit_s,
    )
