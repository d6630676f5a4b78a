"""The record of sessions."""

from mailvet.testbed.sessions import SessionLog


def test_only_the_last_sessions_are_kept() -> None:
    """The oldest is forgotten, the counts are not."""
    log = SessionLog(limit=2)
    for host in ("a", "b", "c"):
        log.end(log.begin(host, "127.0.0.2", "127.0.0.1"))
    assert ["b", "c"] == [record.host for record in log.all]
    assert ({"a": 1, "b": 1, "c": 1}, 0) == (dict(log.count), log.open.total())


def test_sessions_are_found_by_host() -> None:
    """Oldest first."""
    log = SessionLog()
    first, _, second = (log.begin(host, "127.0.0.2", "127.0.0.1") for host in ("a", "b", "a"))
    assert [first, second] == log.of("a")


def test_clearing_keeps_count_of_what_is_open() -> None:
    """A session that runs on still counts towards the next peak."""
    log = SessionLog()
    log.begin("a", "127.0.0.2", "127.0.0.1")
    log.end(log.begin("a", "127.0.0.2", "127.0.0.1"))
    log.clear()
    assert ([], 0, 1, 1) == (log.all, log.count["a"], log.open["a"], log.peak["a"])


def test_a_log_for_load_keeps_nothing() -> None:
    """With a limit of 0 only the counts are kept."""
    log = SessionLog(limit=0)
    log.begin("a", "127.0.0.2", "127.0.0.1")
    assert (False, [], 1) == (log.recording, log.all, log.count["a"])
