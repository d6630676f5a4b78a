from dataclasses import asdict

from mailvet.model.status import QualityLevel
from mailvet.smtp.limits import VisitLimits


def test_scaled_times_and_counts() -> None:
    """Times are scaled, counts are not."""
    scaled = VisitLimits().scaled(0.5)
    assert (5.0, 90.0) == (scaled.connect_s, scaled.visit_s)
    assert (5, 100) == (scaled.max_addresses, scaled.max_recipients)


def test_better_qualities_wait_longer() -> None:
    """No limit of a better quality is tighter."""
    levels = [QualityLevel.STANDARD, QualityLevel.HIGH, QualityLevel.EXTREME]
    values = [asdict(VisitLimits.of(level)) for level in levels]
    for name in values[0]:
        series = [each[name] for each in values]
        assert sorted(series) == series, name
    assert VisitLimits() == VisitLimits.of(QualityLevel.UNSPECIFIED)


def test_shorter_limits_fit_into_longer_ones() -> None:
    """A stage fits into a session, and a session into a visit."""
    for level in QualityLevel:
        limits = VisitLimits.of(level)
        stages = (limits.connect_s, limits.banner_s, limits.command_s, limits.tls_s, limits.quit_s)
        assert max(stages) < limits.session_s < limits.visit_s
