"""Text -> a phone number in its form by E.164, as Google's metadata of numbering plans has it."""


def has_numbers(country: str) -> bool:
    """Whether the numbering plan of a country (ISO 3166-1) is known."""
    import phonenumbers  # its tables take megabytes: only who asks for phones pays for them

    return country in phonenumbers.SUPPORTED_REGIONS


def e164(text: str, country: str) -> str:
    """Return a number such as `+6561234567`; empty when the text is none that is given out.

    Without a country code it is read as one of `country`; with "" such a number is none.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
