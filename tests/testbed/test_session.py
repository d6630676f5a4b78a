"""Sessions with an honest host, over real sockets."""

import asyncio
import smtplib
import ssl

from mailvet.testbed.bed import Testbed
from mailvet.testbed.places import DEFAULT_EXTENSIONS
from mailvet.testbed.sessions import Ended, Exchange
from tests.testbed.wire import ADDRESS, Wire, dial, one_host, talk

TLS = (*DEFAULT_EXTENSIONS, "STARTTLS")


async def until_over(bed: Testbed) -> None:
    """Let the loop run until no session is open."""
    while bed.sessions.open.total():
        await asyncio.sleep(0)


async def test_smtplib_gets_along() -> None:
    """A client nobody here wrote reads the extensions and every kind of answer."""

    def visit(port: int) -> tuple[set[str], list[int]]:
        with smtplib.SMTP(ADDRESS, port, local_hostname="me.test", timeout=5) as client:
            client.ehlo()
            client.mail("probe@me.test", ["SIZE=10"])
            codes = [client.rcpt(f"{who}@here.test")[0] for who in ("anna", "nobody", "full")]
            return set(client.esmtp_features), [*codes, client.rset()[0]]

    async with Testbed(one_host()) as bed:
        features, codes = await asyncio.to_thread(visit, bed.smtp_port)
    assert {"pipelining", "size", "8bitmime", "smtputf8", "enhancedstatuscodes"} == features
    assert [250, 550, 552, 250] == codes


async def test_a_session_is_recorded_to_the_byte() -> None:
    """Commands stand with their line ends beside the replies they got."""
    async with Testbed(one_host()) as bed:
        async with dial(bed) as wire:
            await wire.reply()
            await wire.ask_all("HELO me.test", "QUIT")
            await wire.rest()
        await until_over(bed)
        [record] = bed.sessions.all
    assert [
        Exchange(b"", b"220 mx.here.test ESMTP ready\r\n"),
        Exchange(b"HELO me.test\r\n", b"250 mx.here.test\r\n"),
        Exchange(b"QUIT\r\n", b"221 2.0.0 Bye\r\n"),
    ] == record.exchanges
    assert (True, Ended.QUIT, []) == (record.said_quit, record.ended, record.faults)
    assert (ADDRESS, "127.0.0.1") == (record.address, record.client)
    assert [b"HELO me.test", b"QUIT"] == record.commands


async def test_a_client_that_just_goes_is_noted() -> None:
    """No QUIT, no Ended.QUIT."""
    async with Testbed(one_host()) as bed:
        async with dial(bed) as wire:
            await wire.reply()
        await until_over(bed)
        [record] = bed.sessions.all
    assert (Ended.CLIENT_CLOSED, False) == (record.ended, record.said_quit)


async def test_pipelined_commands_are_answered_in_order() -> None:
    """One write of many commands gets as many replies (RFC 2920 3.1)."""
    async with talk() as wire:
        await wire.reply()
        await wire.ask("EHLO me.test")
        wire.send(b"MAIL FROM:<>\r\nRCPT TO:<anna@here.test>\r\nRCPT TO:<x@here.test>\r\nQUIT\r\n")
        replies = [await wire.reply() for _ in range(4)]
    assert ["250", "250", "550", "221"] == [reply[:3] for reply in replies]


async def test_pipelining_without_an_offer_is_a_fault() -> None:
    """The commands are answered, and the record tells on the client."""
    async with Testbed(one_host(extensions=("SIZE",))) as bed, dial(bed) as wire:
        await wire.reply()
        await wire.ask("EHLO me.test")
        wire.send(b"MAIL FROM:<>\r\nRCPT TO:<anna@here.test>\r\n")
        await wire.reply()
        await wire.reply()
        assert ["pipelined without an offer"] == bed.sessions.all[0].faults


async def test_lines_that_are_no_lines_are_refused_and_noted() -> None:
    """Bare LF and NUL get a 500, and the next command is answered as if nothing was."""
    async with Testbed(one_host()) as bed, dial(bed) as wire:
        await wire.reply()
        wire.send(b"NOOP\n")
        assert "500 5.5.2 Error: bad syntax" == await wire.reply()
        wire.send(b"NO\0OP\r\n")
        assert "500 5.5.2 Error: bad syntax" == await wire.reply()
        assert "250 2.0.0 Ok" == await wire.ask("NOOP")
        assert ["bare LF", "NUL"] == bed.sessions.all[0].faults


async def test_a_line_without_end_is_cut() -> None:
    """What is longer than any command is refused before its line ends."""
    async with Testbed(one_host()) as bed, dial(bed) as wire:
        await wire.reply()
        wire.send(b"x" * 2049)
        assert "500 5.5.2 Error: bad syntax" == await wire.reply()


async def test_early_talkers_are_noted() -> None:
    """A client that speaks before the banner is what Postfix's postscreen looks for."""
    world = one_host("slow_banner", delay_s=0.05)
    async with Testbed(world) as bed, dial(bed) as wire:
        wire.send(b"EHLO me.test\r\n")
        assert "220" == (await wire.reply())[:3]
        assert "250" == (await wire.reply())[:3]
        assert ["spoke before the banner"] == bed.sessions.all[0].faults


async def test_commands_out_of_order_are_refused() -> None:
    """MAIL needs EHLO, RCPT needs MAIL, and there is one MAIL at a time (RFC 5321 4.1.4)."""
    async with talk() as wire:
        await wire.reply()
        replies = await wire.ask_all(
            "MAIL FROM:<>",
            "EHLO",
            "EHLO me.test",
            "RCPT TO:<anna@here.test>",
            "MAIL FROM:<>",
            "MAIL FROM:<>",
            "RSET",
            "RCPT TO:<anna@here.test>",
        )
    assert ["503", "501", "250", "503", "250", "503", "250", "503"] == [r[:3] for r in replies]


async def test_grammar_and_extensions_are_enforced() -> None:
    """A space after the colon, an option not offered, and DATA are refused."""
    async with talk(extensions=("SIZE",)) as wire:
        await wire.reply()
        replies = await wire.ask_all(
            "EHLO me.test",
            "MAIL FROM: <a@me.test>",
            "MAIL FROM:<a@me.test> SMTPUTF8",
            "MAIL FROM:<a@me.test> SIZE=10",
            "RCPT TO: <anna@here.test>",
            "RCPT TO:<anna@here.test> NOTIFY=NEVER",
            "RCPT TO:<jörg@here.test>",
            "RCPT TO:<anna@" + "ü" * 70 + ".test>",
            "DATA",
            "VRFY anna",
        )
    codes = ["250", "501", "555", "250", "501", "555", "553", "553", "502", "502"]
    assert codes == [reply[:3] for reply in replies]


async def test_a_domain_that_cannot_be_one_is_refused() -> None:
    """With SMTPUTF8 a U-label domain is read, unless no A-label can be made of it."""
    async with talk(domains=["bücher.test".encode("idna").decode()]) as wire:
        await wire.reply()
        await wire.ask_all("EHLO me.test", "MAIL FROM:<> SMTPUTF8")
        assert "250" == (await wire.rcpt("anna@bücher.test"))[:3]
        assert "501 5.1.3 Bad domain name" == await wire.rcpt("anna@" + "ü" * 70 + ".test")


async def test_starttls_encrypts_and_forgets() -> None:
    """After the handshake the client starts anew, and STARTTLS is no longer on offer."""

    def visit(port: int) -> tuple[bool, bool, int]:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with smtplib.SMTP(ADDRESS, port, local_hostname="me.test", timeout=5) as client:
            client.ehlo()
            before = client.has_extn("starttls")
            client.starttls(context=context)
            client.ehlo()
            client.mail("")
            return before, client.has_extn("starttls"), client.rcpt("anna@here.test")[0]

    async with Testbed(one_host(extensions=TLS)) as bed:
        assert (True, False, 250) == await asyncio.to_thread(visit, bed.smtp_port)
        assert bed.sessions.all[0].tls


async def test_a_failed_handshake_ends_the_session() -> None:
    """Plain text in place of a ClientHello breaks the connection, and is noted."""
    async with Testbed(one_host(extensions=TLS)) as bed:
        async with dial(bed) as wire:
            await wire.reply()
            await wire.ask_all("EHLO me.test", "STARTTLS")
            wire.send(b"MAIL FROM:<>\r\n" * 10)
            await wire.rest()
        await until_over(bed)
        [record] = bed.sessions.all
    assert (False, True) == (record.tls, record.faults[0].startswith("TLS: "))


async def test_words_behind_starttls_do_not_count() -> None:
    """What was sent in the clear behind STARTTLS is thrown away (RFC 3207 4.2)."""
    async with Testbed(one_host(extensions=TLS)) as bed, dial(bed) as wire:
        await wire.reply()
        await wire.ask("EHLO me.test")
        wire.send(b"STARTTLS\r\nNOOP\r\n")
        assert "220" == (await wire.reply())[:3]
        assert ["spoke on after STARTTLS"] == bed.sessions.all[0].faults


async def test_starttls_is_unknown_where_it_is_not_offered() -> None:
    """A host without TLS says 502."""
    async with talk() as wire:
        await wire.reply()
        await wire.ask("EHLO me.test")
        assert "502" == (await wire.ask("STARTTLS"))[:3]


async def test_concurrent_sessions_are_counted() -> None:
    """The peak stays when the sessions are gone."""
    async with Testbed(one_host()) as bed:
        async with dial(bed) as one, dial(bed) as other:
            await one.reply()
            await other.reply()
        await until_over(bed)
        async with dial(bed) as third:
            await third.reply()
        name = "mx.here.test"
        assert (2, 3) == (bed.sessions.peak[name], bed.sessions.count[name])


async def read_quietly(wire: Wire) -> bytes:
    """Read to the end, however it comes."""
    try:
        return await wire.rest()
    except ConnectionResetError:
        return b""


async def test_taking_the_bed_down_ends_open_sessions() -> None:
    """A client that waits is cut off, not waited for."""
    bed = Testbed(one_host())
    async with bed:
        wire = Wire(*await asyncio.open_connection(ADDRESS, bed.smtp_port))
        await wire.reply()
    assert b"" == await read_quietly(wire)
    wire.close()
    assert [Ended.HOST_RESET] == [record.ended for record in bed.sessions.all]
