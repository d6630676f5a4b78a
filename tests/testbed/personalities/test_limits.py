"""Hosts that count."""

from mailvet.testbed.bed import Testbed
from tests.testbed.wire import Clock, dial, one_host, talk

BOTH = ("left.test", "right.test")


async def greeting(bed: Testbed) -> str:
    """The code of the banner on a new connection."""
    async with dial(bed) as wire:
        return (await wire.reply())[:3]


async def test_a_greylist_waits_for_the_same_triplet() -> None:
    """The first sight is deferred, the second after the delay is not; another sender is first."""
    clock = Clock()
    async with Testbed(one_host("greylists", delay_s=60), clock=clock) as bed, dial(bed) as wire:
        await wire.start()
        assert (
            "450 4.7.1 <anna@here.test>: Recipient address rejected: "
            "Greylisted, please try again in 60 seconds"
        ) == await wire.rcpt("anna@here.test")
        clock.now_s += 59
        assert "450" == (await wire.rcpt("anna@here.test"))[:3]
        clock.now_s += 1
        assert "250" == (await wire.rcpt("anna@here.test"))[:3]
        assert "450" == (await wire.rcpt("bob@here.test"))[:3]
        await wire.ask_all("RSET", "MAIL FROM:<other@me.test>")
        assert "450" == (await wire.rcpt("anna@here.test"))[:3]


async def test_a_greylist_says_the_truth_in_the_end() -> None:
    """Who waited for a mailbox that does not exist is told so."""
    clock = Clock()
    async with Testbed(one_host("greylists"), clock=clock) as bed, dial(bed) as wire:
        await wire.start()
        await wire.rcpt("nobody@here.test")
        clock.now_s += 300
        assert "550" == (await wire.rcpt("nobody@here.test"))[:3]


async def test_a_second_recipient_may_end_the_session() -> None:
    """421, and the host is gone (RFC 5321 3.8)."""
    async with talk("hangs_up_on_second") as wire:
        await wire.start()
        assert "250" == (await wire.rcpt("anna@here.test"))[:3]
        assert "421 4.7.0 Too many recipients, closing connection" == await wire.rcpt("b@here.test")
        assert b"" == await wire.rest()


async def test_a_second_recipient_may_need_a_transaction_of_its_own() -> None:
    """452 after one that was accepted; after RSET the next is answered."""
    async with talk("one_recipient") as wire:
        await wire.start()
        assert "550" == (await wire.rcpt("nobody@here.test"))[:3]
        assert "250" == (await wire.rcpt("anna@here.test"))[:3]
        assert "452 4.5.3 Too many recipients" == await wire.rcpt("bob@here.test")
        await wire.ask_all("RSET", "MAIL FROM:<>")
        assert "250" == (await wire.rcpt("bob@here.test"))[:3]


async def test_a_second_domain_may_need_a_transaction_of_its_own() -> None:
    """Recipients of the first domain go on, one of another is put off."""
    async with talk("one_domain", domains=BOTH) as wire:
        await wire.start()
        asked = ("anna@left.test", "anna@right.test", "bob@left.test")
        replies = [(await wire.rcpt(mailbox))[:9] for mailbox in asked]
    assert ["250 2.1.5", "451 4.3.0", "250 2.1.5"] == replies


async def test_recipients_of_a_session_may_be_limited() -> None:
    """RSET does not help, a new session does."""
    async with Testbed(one_host("max_recipients", limit=2)) as bed:
        async with dial(bed) as wire:
            await wire.start()
            await wire.rcpt("anna@here.test")
            await wire.ask_all("RSET", "MAIL FROM:<>")
            await wire.rcpt("nobody@here.test")
            assert "452 4.5.3" == (await wire.rcpt("bob@here.test"))[:9]
        async with dial(bed) as wire:
            await wire.start()
            assert "250" == (await wire.rcpt("bob@here.test"))[:3]


async def test_connections_may_be_limited_in_time() -> None:
    """Too many in the window are told 421; once it has passed the host takes them again."""
    clock = Clock()
    world = one_host("rate_limits", connections=2, window_s=10)
    async with Testbed(world, clock=clock) as bed:
        assert ["220", "220", "421"] == [await greeting(bed) for _ in range(3)]
        clock.now_s += 10
        assert "220" == await greeting(bed)
