"""The domains people mean."""

from mailvet.lists.targets import knowledge


def test_a_target_stands_in_the_tables_once() -> None:
    """Ranks are dense: no domain is a target twice."""
    ranks = [target.rank for target in knowledge().targets.values()]
    assert list(range(len(ranks))) == ranks


def test_every_target_is_known_to_be_real() -> None:
    """What is suggested is never itself corrected, and ends in a real suffix."""
    known = knowledge()
    assert set(known.targets) <= known.real
    assert [] == [
        each.domain for each in known.targets.values() if not known.is_suffix(each.suffix)
    ]


def test_short_names_bear_no_slip() -> None:
    """A name of four letters or fewer is only ever mended in its suffix."""
    targets = knowledge().targets.values()
    assert {0.0} == {target.limit for target in targets if len(target.name) <= 4}
