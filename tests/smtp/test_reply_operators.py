"""Tests of operators' own code words."""

import pytest

from mailvet.smtp.reply_operators import operator_reading


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("HL:ICC 163 mx1", "netease.rate"),
        ("DT:SPM 126 mx2", "netease.client"),
        ("HL:TLD", "netease.server"),
        ("Mailbox unavailable or access denied", "tencent.recipient_rate"),
        ("[TSS09] All messages will be deferred", "yahoo.client"),
        ("[GL01] deferred", "yahoo.greylist"),
        ("https://support.google.com/mail/?p=NoSuchUser a1", "google.no_such_user"),
        ("https://support.google.com/mail/?p=OverQuotaPerm", "google.full"),
        ("https://support.google.com/mail/?p=ReceivingRate", "google.recipient_rate"),
        ("block list (S3140)", "microsoft.client"),
        ("RP-001 (SNT) some messages", "microsoft.rate"),
        ("5.1.1 RCP-P1", "facebook.no_such_user"),
        ("INT-T3", "facebook.server"),
        ("AUP#CXTHRT", "cox.rate"),
        ("AUP#In-1340", "spectrum.rate"),
        ("AUP#I-1010", "cox.client"),
        ("smtp-error-codes.php#RL000001", "comcast.rate"),
        ("OFR_416 [416]", "orange.no_such_user"),
        ("LPN007_517", "orange.client"),
        ("cuda_nsu a@example.org", "barracuda.no_such_user"),
    ],
)
def test_code_words(text: str, rule: str) -> None:
    """A code word is read as its operator's help page explains it."""
    reading = operator_reading(text, "")
    assert rule == (reading and reading.rule)


def test_plain_words_are_nobodys_code() -> None:
    """Where no operator's code stands, the tables are silent."""
    assert operator_reading("User unknown", "google") is None
