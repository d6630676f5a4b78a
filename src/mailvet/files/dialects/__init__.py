"""Whose words an export can speak: our own, or those of a vendor a caller comes from."""

from mailvet.files.dialects.apexverify import APEXVERIFY
from mailvet.files.dialects.dialect import BatchFacts, Dialect, Duplicates, Tally
from mailvet.files.dialects.emailyze import EMAILYZE
from mailvet.files.dialects.own import OWN, own
from mailvet.files.dialects.user_cleaning import USER_CLEANING
from mailvet.files.dialects.verifalia import VERIFALIA
from mailvet.files.dialects.whoisxml import WHOISXML, WHOISXML_FAILED

DIALECTS: dict[str, Dialect] = {
    each.name: each
    for each in (OWN, VERIFALIA, WHOISXML, WHOISXML_FAILED, EMAILYZE, USER_CLEANING, APEXVERIFY)
}
"""By name."""

__all__ = ["DIALECTS", "OWN", "BatchFacts", "Dialect", "Duplicates", "Tally", "own"]
