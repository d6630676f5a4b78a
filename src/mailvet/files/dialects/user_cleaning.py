"""The results of user.cleaning: the caller's own file with `category` and `domain_type` behind.

What is no address is `black` and `invalid`; duplicates are left out.
"""

from mailvet.files.dialects.dialect import Dialect, Duplicates
from mailvet.files.plain import Found, Record, is_syntax_failure

ADDITIONS = ("category", "domain_type")


def _record(found: Found) -> Record:
    if is_syntax_failure(found):
        return {"email": found["input_data"], "category": "black", "domain_type": "invalid"}
    return {
        "email": found["input_data"],
        "category": (found["category"] or "GREY").lower(),
        "domain_type": (found["provider_type"] or "UNKNOWN").lower(),
    }


USER_CLEANING = Dialect(
    name="user-cleaning",
    columns=("email", *ADDITIONS),
    record=_record,
    duplicates=Duplicates.DROP,
    additions=ADDITIONS,
)
