import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mailvet.model.address import Address, DomainName
from mailvet.model.reply import Reply
from mailvet.smtp.envelope import Envelope, mail_line, rcpt_line
from mailvet.smtp.plan import Plan
from mailvet.syntax import parse
from tests.smtp.people import US, mailbox

ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{|}~"
UTF8 = "äßéñøжиשع用户ก한🙂\u0301\u200d"
DOMAINS = ["x.test", "xn--bcher-kva.test", "[192.0.2.1]", "[IPv6:2001:db8::1]"]

atoms = st.text(ATEXT + UTF8, min_size=1, max_size=12)
dot_strings = st.lists(atoms, min_size=1, max_size=4).map(".".join)
quoted_characters = st.sampled_from(ATEXT + UTF8 + " @.,:;<>()[]") | st.sampled_from(
    ['\\"', "\\\\", "\\ ", "\\<", "\\a"]
)
quoted_strings = st.lists(quoted_characters, min_size=1, max_size=12).map(
    lambda characters: f'"{"".join(characters)}"'
)
addresses = st.builds(
    lambda local_part, domain: Address(local_part, DomainName(domain, domain)),
    dot_strings | quoted_strings,
    st.sampled_from(DOMAINS),
)
"""RFC 5321 4.1.2 with RFC 6531 3.3: Dot-string or Quoted-string, at sign, domain or literal."""


@given(addresses)
def test_the_wire_carries_exactly_the_mailbox(address: Address) -> None:
    """What was validated is what is sent: not one byte more, less or other."""
    assert f"RCPT TO:<{address.mailbox}>".encode() == rcpt_line(address)


@given(addresses)
def test_a_plan_asks_about_exactly_the_mailbox(address: Address) -> None:
    """The plan hands on the same bytes, and asks for SMTPUTF8 exactly when they need it."""
    plan = Plan(US, [Envelope(address.domain.ascii, (address,))])
    plan.feed(Reply(220, "", None))
    plan.feed(Reply(250, "mx\nSMTPUTF8", None))
    assert (b"MAIL FROM:<>" + b" SMTPUTF8" * address.needs_smtputf8,) == plan.commands
    plan.feed(Reply(250, "", None))
    assert (b"RCPT TO:<" + address.mailbox.encode("utf-8") + b">",) == plan.commands


@given(
    st.text(ATEXT + UTF8, min_size=1, max_size=20)
    | st.text(ATEXT + UTF8 + " @.<>()[]", max_size=20).map('"{}"'.format)
    | st.text(ATEXT + UTF8 + ' @.<>"\\\r\n\t()[]', max_size=20)
    | st.text(max_size=20)
)
@example('"a b>"')
@example('"\\""')
def test_what_syntax_lets_through_is_what_is_sent(local_part: str) -> None:
    """Any address that the parser accepts is sent byte for byte as the parser has it."""
    address = parse(f"{local_part}@x.test")
    assume(isinstance(address, Address))
    assert isinstance(address, Address)
    assert b"RCPT TO:<" + address.mailbox.encode() + b">" == rcpt_line(address)


@given(st.text(max_size=12), st.text(max_size=12))
def test_no_text_becomes_a_second_command(local_part: str, domain: str) -> None:
    """Any text at all is either refused, or one line that names one path."""
    try:
        line = rcpt_line(Address(local_part, DomainName(domain, domain)))
    except (AssertionError, UnicodeEncodeError):
        return
    assert not set(line) & {*range(32), 127}
    bare = line.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]
    assert (1, 1) == (b"".join(bare).count(b"<"), b"".join(bare).count(b">"))


@pytest.mark.parametrize(
    "text",
    [
        "a\r\nRSET\r\n@x.test",
        "a\0@x.test",
        "a\x7f@x.test",
        "a\x85@x.test",
        '"a\n"@x.test',
        "a> SIZE=1 <b@x.test",
        "a b@x.test",
        "a\\@x.test>@x.test",
        '"a@x.test',
        '"a\\"@x.test',
    ],
)
def test_unsafe_mailboxes(text: str) -> None:
    """A mailbox that syntax should never have let through is not sent."""
    with pytest.raises(AssertionError, match="got past the syntax check"):
        rcpt_line(mailbox(text))


def test_mail_line() -> None:
    """MAIL names the sender, and SMTPUTF8 when it is asked for."""
    assert b"MAIL FROM:<>" == mail_line("", smtputf8=False)
    assert b"MAIL FROM:<us@us.test> SMTPUTF8" == mail_line("us@us.test", smtputf8=True)
