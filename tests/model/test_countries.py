"""The countries there are."""

import phonenumbers

from mailvet.model.countries import COUNTRIES


def test_they_are_those_of_the_standard() -> None:
    """249 of ISO 3166-1 and Kosovo; every numbering plan belongs to one of them.

    AC and TA have plans of their own and are parts of SH.
    """
    assert 250 == len(COUNTRIES)
    assert {"AC", "TA"} == phonenumbers.SUPPORTED_REGIONS - COUNTRIES
    assert {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"} == COUNTRIES - phonenumbers.SUPPORTED_REGIONS
