"""How a route's pace adapts."""

from mailvet.engine.pace import FORGIVE_AFTER, MAX_COOL_OFF_S, Pace, PaceLimits


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_complaint_halves_the_sessions_and_pauses() -> None:
    """An exchanger that complains is left alone for a while and asked less after."""
    clock = _Clock()
    pace = Pace(PaceLimits(sessions=8, cool_off_s=2), clock)
    pace.complained()
    assert 4 == pace.sessions
    assert 102 == pace.cool_until


def test_complaints_in_a_row_double_the_pause_up_to_a_limit() -> None:
    """Each complaint waits twice as long as the one before; never less than one session is left."""
    clock = _Clock()
    pace = Pace(PaceLimits(sessions=2, cool_off_s=2), clock)
    pauses = []
    for _ in range(12):
        pace.complained()
        pauses.append(pace.cool_until - clock.now)
    assert [2, 4, 8] == pauses[:3]
    assert MAX_COOL_OFF_S == pauses[-1]
    assert 1 == pace.sessions


def test_success_brings_sessions_back_slowly() -> None:
    """Good sessions add up to the limit and never beyond it."""
    pace = Pace(PaceLimits(sessions=4, cool_off_s=2), _Clock())
    pace.complained()
    pace.succeeded()
    assert 2 < pace.sessions < 3
    for _ in range(20):
        pace.succeeded()
    assert 4 == pace.sessions
    assert 0 == pace.strikes


def test_a_learnt_recipient_limit_only_falls() -> None:
    """What an exchanger took in one session is the most it is asked for in the next."""
    pace = Pace(PaceLimits(recipients=20), _Clock())
    pace.took(3)
    pace.took(9)
    assert 3 == pace.recipients
    pace.took(0)
    assert 1 == pace.recipients


def test_a_learnt_limit_is_tried_again_after_many_good_sessions() -> None:
    """Hosts change: after a run of good sessions one recipient more is asked for."""
    pace = Pace(PaceLimits(recipients=5), _Clock())
    pace.took(2)
    assert pace.has_limit
    for _ in range(FORGIVE_AFTER):
        pace.succeeded()
    assert 3 == pace.recipients
    for _ in range(10 * FORGIVE_AFTER):
        pace.succeeded()
    assert 5 == pace.recipients
    assert not pace.has_limit
