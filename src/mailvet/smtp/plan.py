"""The dialogue with one exchanger, sans-IO: fed with replies, it says what to write next.

It knows the order of commands and which extensions change it. It has no clock and no socket, and
judges nothing: whom a reply concerns is written into its ledger.
"""

from collections.abc import Generator, Sequence
from functools import lru_cache
from itertools import chain

from mailvet.model.address import Address
from mailvet.model.reply import Reply, Stage, Trouble
from mailvet.smtp.demands import Demands, demands_of
from mailvet.smtp.envelope import Envelope, mail_line, rcpt_line
from mailvet.smtp.identity import Identity
from mailvet.smtp.ledger import Heard, Ledger
from mailvet.smtp.report import Report

__all__ = ["Envelope", "Plan", "Report"]

Step = tuple[Stage, tuple[bytes, ...]]
"""What to write before the next reply, and the stage that reply belongs to."""

_NEXT: Step = (Stage.RCPT, ())
"""Another reply to what was written before."""
_RSET = b"RSET"


class Plan:
    """One dialogue, from banner to QUIT.

    A driver writes `commands` (lines without their end; possibly none), reads one reply, feeds it,
    and goes on until `done`. `stage` tells which reply is due. The reply to STARTTLS is fed after
    the handshake; what breaks the connection is told with `break_off`. With `pipelining` everything
    behind EHLO comes at once where the host offers it (RFC 2920), and one reply each is due; a host
    that turns out to want STARTTLS first has to be met again (`asks_again`).
    """

    __slots__ = (
        "_ehlo",
        "_ehlo_refusal",
        "_envelopes",
        "_helo",
        "_is_ascii",
        "_is_hasty",
        "_is_in_doubt",
        "_mail_from",
        "_may_pipeline",
        "_rcpt_lines",
        "_room",
        "_steps",
        "_tls_due",
        "_unheard",
        "commands",
        "done",
        "extensions",
        "greeted",
        "ledger",
        "stage",
        "used_starttls",
    )

    def __init__(
        self,
        identity: Identity,
        envelopes: Sequence[Envelope],
        *,
        host: str = "",
        address: str = "",
        max_recipients: int = 100,
        pipelining: bool = False,
    ) -> None:
        """`host` and `address` are only noted. Raises `AssertionError` for a mailbox whose bytes
        are not safe to send, before anything is sent."""
        recipients = [each for envelope in envelopes for each in envelope.recipients]
        self._rcpt_lines = [_rcpt_lines(envelope) for envelope in envelopes]
        self._is_ascii = all(map(bytes.isascii, chain.from_iterable(self._rcpt_lines)))
        self._envelopes = envelopes
        self._helo = identity.helo.encode("ascii")
        self._ehlo = b"EHLO " + self._helo
        self._mail_from = identity.mail_from
        self._room = max_recipients
        self._may_pipeline = pipelining
        self._ehlo_refusal: Reply | None = None
        self._tls_due = False
        self._is_hasty = False
        self._is_in_doubt = False
        self._unheard: list[Address] = []
        """Recipients of a group behind the one whose answer is due, the last one first."""
        self.ledger = Ledger(recipients, host, address)
        self.extensions: frozenset[str] = frozenset()
        self.used_starttls = False
        self.greeted = False
        self.done = False
        self._steps = self._converse()
        self.stage, self.commands = next(self._steps)

    @property
    def try_next(self) -> bool:
        """Whether another address may know better: nothing here was the recipients' fault."""
        return self.ledger.try_next

    @property
    def asks_again(self) -> bool:
        """Whether to ask in another dialogue, one command at a time: the host wants TLS and QUIT
        was said already, or it broke off amid the replies to a group, so that nobody knows whether
        each was whole and stood for its own command."""
        return self.done and (self._tls_due or self._is_in_doubt)

    def feed(self, reply: Reply) -> None:
        """Take the reply to the oldest command that has none."""
        if reply.code == 421:  # RFC 5321 3.8: the host closes the channel, whatever was asked
            self._end(reply)
            return
        if self._unheard:
            self._hear_next(reply)
            self.ledger.asking = self._unheard.pop()
            return
        try:
            self.stage, self.commands = self._steps.send(reply)
        except StopIteration:
            self._finish()

    def go_strict(self) -> None:
        """Give one command at a time from here on, whatever the host offers."""
        self._may_pipeline = False

    def break_off(self, trouble: Trouble) -> None:
        """Take note that no further reply will come."""
        if self._is_hasty and self.stage is not Stage.QUIT and self.ledger.has_answers:
            self._is_in_doubt = True
            self.ledger = self.ledger.emptied()
            self._finish()
        else:
            self._end(trouble)

    def report(self) -> Report:
        """Return what was learnt so far."""
        ledger = self.ledger
        report = Report(ledger.recipients)
        report.observations = ledger.observations
        report.made_up = ledger.made_up
        report.recipients_taken = ledger.recipients_taken
        report.one_domain = ledger.one_domain
        report.extensions = self.extensions
        report.used_starttls = self.used_starttls
        report.connected = True
        report.greeted = self.greeted
        return report

    def _end(self, heard: Heard) -> None:
        if self.stage is not Stage.QUIT:
            self.ledger.ended(self.stage, heard)
        self._finish()

    def _finish(self) -> None:
        self._steps.close()
        self.done = True
        self.commands = ()

    def _converse(self) -> Generator[Step, Reply, None]:
        # What nearly every host answers needs no generator within this one: each has its price.
        banner = yield Stage.BANNER, ()
        if banner.positive or self.ledger.all_refused(Stage.BANNER, banner):
            self.greeted = True
            reply = yield Stage.EHLO, (self._ehlo,)
            if self._offers(reply) or (yield from self._greet_otherwise(reply)):
                if self._may_pipeline and "PIPELINING" in self.extensions:
                    yield from self._ask_at_once()
                    return
                yield from self._ask_all()
        yield Stage.QUIT, (b"QUIT",)

    def _offers(self, reply: Reply) -> bool:
        """Whether EHLO was accepted; takes note of what the host offers."""
        if reply.positive:
            self.extensions = _keywords(reply.text)
            return True
        return False

    def _greet_otherwise(self, reply: Reply) -> Generator[Step, Reply, bool]:
        """After EHLO was refused: by TLS, or by HELO."""
        if self._asks_for_tls(reply):
            return (yield from self._encrypt())
        if reply.code < 500:
            return self.ledger.all_refused(Stage.EHLO, reply)
        self._ehlo_refusal = reply
        self.extensions = frozenset()
        reply = yield Stage.EHLO, (b"HELO " + self._helo,)
        return reply.positive or self.ledger.all_refused(Stage.EHLO, reply)

    def _encrypt(self) -> Generator[Step, Reply, bool]:
        self._tls_due = False
        reply = yield Stage.STARTTLS, (b"STARTTLS",)
        if not reply.positive:
            return self.ledger.all_refused(Stage.STARTTLS, reply)
        self.used_starttls = True
        self.ledger.transacted = False  # RFC 3207 4.2: both sides forget what was said before
        reply = yield Stage.EHLO, (self._ehlo,)
        return self._offers(reply) or (yield from self._greet_otherwise(reply))

    def _ask_all(self) -> Generator[Step, Reply, None]:
        for envelope, lines in zip(self._envelopes, self._rcpt_lines, strict=True):
            going_on = yield from self._transact(envelope, lines)
            if self._tls_due:
                going_on = yield from self._encrypt()
                going_on = going_on and (yield from self._transact(envelope, lines))
            if not going_on:
                return

    def _transact(self, envelope: Envelope, rcpts: Sequence[bytes]) -> Generator[Step, Reply, bool]:
        """Ask about one envelope; return whether the host may be asked about another."""
        ledger = self.ledger
        asked, rcpts = self._askable(envelope, rcpts)
        if not asked:
            return True
        if ledger.transacted and not (yield Stage.RSET, (_RSET,)).positive:
            ledger.one_domain = True
            return False
        mail = yield Stage.MAIL, (self._mail_line(rcpts),)
        if not mail.positive:
            return self._sender_refused(asked, mail)
        ledger.begin_transaction()
        for ledger.asking, line in zip(asked, rcpts, strict=False):
            reply = yield Stage.RCPT, (line,)
            if not self._hear(ledger.asking, reply):
                break
        else:
            if envelope.made_up is not None and ledger.accepted:
                self._probed(envelope.domain, (yield self._probe(envelope.domain, (rcpts[-1],))))
        ledger.asking = None
        # A host that takes nobody any more has a limit for the session, not for the transaction.
        return ledger.in_transaction > 0

    def _ask_at_once(self) -> Generator[Step, Reply, None]:
        """Say all there is to say, QUIT included, and hear what is said to it."""
        self._is_hasty = True
        groups = []
        lines: list[bytes] = []
        for envelope, wanted in zip(self._envelopes, self._rcpt_lines, strict=True):
            asked, rcpts = self._askable(envelope, wanted)
            if asked:
                said: tuple[bytes, ...] = (self._mail_line(rcpts), *rcpts)
                said = (_RSET, *said) if lines else said
                lines += said
                groups.append((envelope, asked, len(said)))
        first = (*lines, b"QUIT")
        left = len(lines)
        for envelope, asked, size in groups:
            left -= size
            unheard = yield from self._hear_group(envelope, asked, size, first)
            first = ()
            if unheard is not None:
                for _ in range(unheard + left):  # it can only say so again
                    yield _NEXT
                break
        yield Stage.QUIT, first

    def _hear_group(
        self, envelope: Envelope, asked: Sequence[Address], size: int, first: tuple[bytes, ...]
    ) -> Generator[Step, Reply, int | None]:
        """Hear what is said to a transaction of `size` commands; return how many replies were not
        listened to when there is no use in hearing more, None to go on."""
        ledger = self.ledger
        if not first:
            size -= 1
            if not (yield Stage.RSET, ()).positive:
                ledger.one_domain = ledger.one_domain or ledger.transacted
                return size
        size -= 1
        mail = yield Stage.MAIL, first
        if not mail.positive:
            if not self._sender_refused(asked, mail):
                return size
            for _ in range(size):
                yield _NEXT
            return None
        ledger.begin_transaction()
        self._unheard = list(reversed(asked))
        ledger.asking = self._unheard.pop()
        self._hear_next((yield _NEXT))  # those before the last are heard as they come
        if size > len(asked):
            self._probed(envelope.domain, (yield self._probe(envelope.domain, ())))
        ledger.asking = None
        return None if ledger.in_transaction > 0 and not self._tls_due else 0

    def _hear_next(self, reply: Reply) -> None:
        """Note the answer about the recipient of a group that is due."""
        recipient = self.ledger.asking
        assert recipient is not None
        if reply.code < 400:
            self.ledger.accepts(recipient, reply)
        else:
            self._hear(recipient, reply)

    def _probe(self, domain: str, commands: tuple[bytes, ...]) -> Step:
        """Have the reply about the made-up mailbox be due."""
        self.ledger.asking, self.ledger.probing = None, domain
        return Stage.RCPT, commands

    def _probed(self, domain: str, reply: Reply) -> None:
        """Hear about the made-up mailbox; it counts if a real one was just accepted."""
        ledger = self.ledger
        ledger.probing = None
        if ledger.accepted and not self._tls_due:
            ledger.made_up_answered(domain, reply)

    def _askable(
        self, envelope: Envelope, lines: Sequence[bytes]
    ) -> tuple[Sequence[Address], Sequence[bytes]]:
        """The recipients to ask now and the lines for it, that of the made-up mailbox last; those
        who need what is not offered are noted as such."""
        ledger, recipients = self.ledger, envelope.recipients
        if self._is_ascii and not ledger.observations and len(recipients) <= self._room:
            self._room -= len(recipients)
            return recipients, lines
        asked, wanted = [], []
        for recipient, line in zip(recipients, lines, strict=False):
            if recipient in ledger.observations:
                continue
            if recipient.needs_smtputf8 and "SMTPUTF8" not in self.extensions:
                ledger.cannot_be_asked(recipient, self._ehlo_refusal)
            elif self._room > 0:
                self._room -= 1
                asked.append(recipient)
                wanted.append(line)
        return asked, (*wanted, *lines[len(recipients) :])

    def _mail_line(self, rcpts: Sequence[bytes]) -> bytes:
        smtputf8 = not self._is_ascii and not all(line.isascii() for line in rcpts)
        return mail_line(self._mail_from, smtputf8=smtputf8)

    def _sender_refused(self, asked: Sequence[Address], mail: Reply) -> bool:
        if self._asks_for_tls(mail):
            self._tls_due = True
            return False
        return self.ledger.sender_refused(asked, mail)

    def _hear(self, recipient: Address, reply: Reply) -> bool:
        """Note the answer about a recipient; return whether there is any use in asking on."""
        if reply.code < 400:
            self.ledger.accepts(recipient, reply)
            return True
        demands = demands_of(reply)
        if self._wants_tls(demands):
            self._tls_due = True
            return False
        return self.ledger.refuses(recipient, reply, demands)

    def _asks_for_tls(self, reply: Reply) -> bool:
        return self._wants_tls(demands_of(reply))

    def _wants_tls(self, demands: Demands) -> bool:
        if self.used_starttls or not (demands.tls or demands.tls_anyway):
            return False
        return demands.insists_on_tls(offered="STARTTLS" in self.extensions)


def _rcpt_lines(envelope: Envelope) -> list[bytes]:
    lines = [rcpt_line(each) for each in envelope.recipients]
    if envelope.made_up is not None:
        lines.append(rcpt_line(envelope.made_up))
    return lines


@lru_cache(512)
def _keywords(text: str) -> frozenset[str]:
    """The extension keywords of an EHLO reply: every line but the first (RFC 5321 4.1.1.1)."""
    return frozenset(line.split(" ", 1)[0].upper() for line in text.split("\n")[1:] if line)
