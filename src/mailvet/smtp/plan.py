"""The dialogue with one exchanger, sans-IO: fed with replies, it says what to write next.

It knows the order of commands, which extensions change it, and whom a refusal concerns. It has
no clock and no socket, and judges nothing: it notes the last thing learnt about each recipient.
"""

from collections.abc import Generator, Iterator, Sequence
from itertools import chain, repeat

from mailvet.model.address import Address
from mailvet.model.reply import Observation, Reply, Stage, Trouble
from mailvet.smtp.demands import (
    insists_on_tls,
    is_shutting_down,
    refuses_another,
    refuses_domain,
)
from mailvet.smtp.envelope import Envelope, mail_line, rcpt_line
from mailvet.smtp.identity import Identity
from mailvet.smtp.report import Report

__all__ = ["Envelope", "Plan", "Report"]

Step = tuple[Stage, tuple[bytes, ...]]
"""What to write before the next reply, and the stage that reply belongs to."""

_FOR_ALL = (Stage.CONNECT, Stage.BANNER, Stage.EHLO, Stage.STARTTLS)
"""What is said at these stages is said to every recipient."""
_NO_SUCH_COMMAND = (500, 502)


class Plan:
    """One dialogue, from banner to QUIT.

    A driver writes `commands` (lines without their end; possibly none), reads one reply, feeds it,
    and goes on until `done`. `stage` tells which reply is due. The reply to STARTTLS is fed after
    the handshake; what breaks the connection is told with `break_off`. With `pipelining` a group
    of commands comes at once where the host offers it (RFC 2920), and one reply each is due.
    """

    __slots__ = (
        "_address",
        "_all_recipients",
        "_answered",
        "_asking",
        "_ehlo_refusal",
        "_envelopes",
        "_helo",
        "_host",
        "_in_transaction",
        "_mail_from",
        "_may_pipeline",
        "_probing",
        "_room",
        "_steps",
        "_tls_due",
        "_transacted",
        "commands",
        "done",
        "extensions",
        "greeted",
        "made_up",
        "observations",
        "one_domain",
        "recipients_taken",
        "stage",
        "try_next",
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
        for envelope in envelopes:
            for recipient in (*envelope.recipients, *filter(None, (envelope.made_up,))):
                rcpt_line(recipient)
        self._envelopes = envelopes
        self._all_recipients = [each for envelope in envelopes for each in envelope.recipients]
        self._helo = identity.helo.encode("ascii")
        self._mail_from = identity.mail_from
        self._host = host
        self._address = address
        self._room = max_recipients
        self._may_pipeline = pipelining
        self._ehlo_refusal: Reply | None = None
        self._asking: Address | None = None
        self._probing: str | None = None
        self._answered = 0
        self._in_transaction = 0
        self._transacted = False
        self._tls_due = False
        self.observations: dict[Address, Observation] = {}
        self.made_up: dict[str, Observation] = {}
        self.extensions: frozenset[str] = frozenset()
        self.used_starttls = False
        self.greeted = False
        self.recipients_taken: int | None = None
        self.one_domain = False
        self.try_next = False
        """Whether another address may know better: nothing here was the recipients' fault."""
        self.done = False
        self._steps = self._converse()
        self.stage, self.commands = next(self._steps)

    def feed(self, reply: Reply) -> None:
        """Take the reply to the oldest command that has none."""
        if reply.code == 421:  # RFC 5321 3.8: the host closes the channel, whatever was asked
            self._end(_Ended(reply, None))
            return
        try:
            self.stage, self.commands = self._steps.send(reply)
        except StopIteration:
            self._finish()

    def break_off(self, trouble: Trouble) -> None:
        """Take note that no further reply will come."""
        self._end(_Ended(None, trouble))

    def report(self) -> Report:
        """Return what was learnt so far."""
        seen = self.observations
        return Report(
            observations=seen,
            made_up=self.made_up,
            unasked=tuple(each for each in self._all_recipients if each not in seen),
            recipients_taken=self.recipients_taken,
            one_domain=self.one_domain,
            extensions=self.extensions,
            used_starttls=self.used_starttls,
            connected=True,
            greeted=self.greeted,
        )

    def _end(self, ended: "_Ended") -> None:
        try:
            self._steps.throw(ended)
        except (StopIteration, _Ended):  # the latter out of QUIT, where nothing is left to learn
            self._finish()

    def _finish(self) -> None:
        self.done = True
        self.commands = ()

    def _converse(self) -> Generator[Step, Reply, None]:
        try:
            if (yield from self._greet()):
                yield from self._ask_all()
        except _Ended as ended:
            self._settle(ended)
            return
        yield Stage.QUIT, (b"QUIT",)

    def _greet(self) -> Generator[Step, Reply, bool]:
        banner = yield Stage.BANNER, ()
        if not banner.positive:
            return self._refused(Stage.BANNER, banner)
        self.greeted = True
        return (yield from self._hello())

    def _hello(self) -> Generator[Step, Reply, bool]:
        reply = yield Stage.EHLO, (b"EHLO " + self._helo,)
        if reply.positive:
            self.extensions = _keywords(reply.text)
            return True
        if self._asks_for_tls(reply):
            return (yield from self._encrypt())
        if reply.code < 500:
            return self._refused(Stage.EHLO, reply)
        self._ehlo_refusal = reply
        self.extensions = frozenset()
        reply = yield Stage.EHLO, (b"HELO " + self._helo,)
        return reply.positive or self._refused(Stage.EHLO, reply)

    def _encrypt(self) -> Generator[Step, Reply, bool]:
        self._tls_due = False
        reply = yield Stage.STARTTLS, (b"STARTTLS",)
        if not reply.positive:
            return self._refused(Stage.STARTTLS, reply)
        self.used_starttls = True
        self._transacted = False  # RFC 3207 4.2: both sides forget what was said before
        return (yield from self._hello())

    def _ask_all(self) -> Generator[Step, Reply, None]:
        for envelope in self._envelopes:
            going_on = yield from self._transact(envelope)
            if self._tls_due:
                going_on = yield from self._encrypt()
                going_on = going_on and (yield from self._transact(envelope))
            if not going_on:
                return

    def _transact(self, envelope: Envelope) -> Generator[Step, Reply, bool]:
        """Ask about one envelope; return whether the host may be asked about another."""
        asked = self._askable(envelope)
        if not asked:
            return True
        pipelined = self._may_pipeline and "PIPELINING" in self.extensions
        writes = self._writes(envelope, asked, pipelined=pipelined)
        self._in_transaction = 0
        if self._transacted and not (yield Stage.RSET, next(writes)).positive:
            self.one_domain = True
            return False
        mail = yield Stage.MAIL, next(writes)
        if not mail.positive:
            going_on = self._sender_refused(asked, mail)
            if pipelined:
                yield from _drain(writes)
            return going_on
        self._transacted = True
        for self._asking in asked:
            reply = yield Stage.RCPT, next(writes)
            if not self._answers(self._asking, reply) and not pipelined:
                break
        else:
            yield from self._probe(envelope, asked, writes, pipelined=pipelined)
        self._asking = None
        # A host that takes nobody any more has a limit for the session, not for the transaction.
        return self._in_transaction > 0

    def _probe(
        self,
        envelope: Envelope,
        asked: Sequence[Address],
        writes: Iterator[tuple[bytes, ...]],
        *,
        pipelined: bool,
    ) -> Generator[Step, Reply, None]:
        """Ask about the made-up mailbox, if a real one was just accepted."""
        if envelope.made_up is None or not (pipelined or self._any_accepted(asked)):
            return
        self._asking, self._probing = None, envelope.domain
        reply = yield Stage.RCPT, next(writes)
        self._probing = None
        if not self._any_accepted(asked) or self._tls_due:
            return
        self.made_up[envelope.domain] = self._seen(Stage.RCPT, reply)
        if refuses_another(reply):
            self._learn_limit()

    def _askable(self, envelope: Envelope) -> list[Address]:
        """The recipients to ask now; those who need what is not offered are noted as such."""
        asked = []
        for recipient in envelope.recipients:
            if recipient in self.observations:
                continue
            if recipient.needs_smtputf8 and "SMTPUTF8" not in self.extensions:
                self.observations[recipient] = self._without_smtputf8()
            elif self._room > 0:
                self._room -= 1
                asked.append(recipient)
        return asked

    def _without_smtputf8(self) -> Observation:
        refusal = self._ehlo_refusal
        if refusal is not None and refusal.code not in _NO_SUCH_COMMAND:
            # The host refused us, not EHLO: what it would have offered is not known.
            return self._seen(Stage.EHLO, refusal)
        return self._troubled(Stage.RCPT, Trouble.NO_SMTPUTF8)

    def _writes(
        self, envelope: Envelope, asked: Sequence[Address], *, pipelined: bool
    ) -> Iterator[tuple[bytes, ...]]:
        """What to write before each reply of a transaction: one line, or all before the first."""
        smtputf8 = any(recipient.needs_smtputf8 for recipient in asked)
        lines = [b"RSET"] if self._transacted else []
        lines.append(mail_line(self._mail_from, smtputf8=smtputf8))
        lines += map(rcpt_line, asked)
        if envelope.made_up is not None:
            lines.append(rcpt_line(envelope.made_up))
        if pipelined:
            return chain((tuple(lines),), repeat((), len(lines) - 1))
        return ((line,) for line in lines)

    def _sender_refused(self, asked: Sequence[Address], mail: Reply) -> bool:
        if self._asks_for_tls(mail):
            self._tls_due = True
            return False
        if self._transacted:  # the same sender was taken before: it is a second one that is not
            self.one_domain = True
            return False
        for recipient in asked:
            self.observations[recipient] = self._seen(Stage.MAIL, mail)
        self.try_next = self.try_next or mail.code < 500
        return True

    def _answers(self, recipient: Address, reply: Reply) -> bool:
        """Note the answer about a recipient; return whether there is any use in asking on."""
        if reply.code >= 400:
            if self._asks_for_tls(reply):
                self._tls_due = True
                return False
            if self._answered and refuses_domain(reply):
                self.one_domain = True
                return False
            if self._answered and refuses_another(reply):
                self._learn_limit()
                return False
        self.observations[recipient] = self._seen(Stage.RCPT, reply)
        self._answered += 1
        self._in_transaction += 1
        return True

    def _learn_limit(self) -> None:
        taken = self._in_transaction or self._answered
        if self.recipients_taken is None or taken < self.recipients_taken:
            self.recipients_taken = taken

    def _any_accepted(self, asked: Sequence[Address]) -> bool:
        for recipient in asked:
            seen = self.observations.get(recipient)
            if seen is not None and seen.reply is not None and seen.reply.positive:
                return True
        return False

    def _asks_for_tls(self, reply: Reply) -> bool:
        return not self.used_starttls and insists_on_tls(
            reply, offered="STARTTLS" in self.extensions
        )

    def _refused(self, stage: Stage, reply: Reply) -> bool:
        """Note a refusal that concerns everybody; always False, for the dialogue is over."""
        self._all_see(self._seen(stage, reply))
        self.try_next = True
        return False

    def _all_see(self, seen: Observation) -> None:
        for recipient in self._all_recipients:
            self.observations.setdefault(recipient, seen)

    def _settle(self, ended: "_Ended") -> None:
        """Note whom the end of the connection concerns; the others stay unasked."""
        stage, reply = self.stage, ended.reply
        seen = Observation(stage, self._host, self._address, reply, ended.trouble)
        self.try_next = reply is None or stage in _FOR_ALL
        if stage in _FOR_ALL or (stage is Stage.MAIL and not self._transacted):
            self._all_see(seen)  # the sender, too, is the same for all
        elif stage is not Stage.RCPT:
            self.one_domain = self.one_domain or reply is not None
        elif self._probing is not None:
            self._probe_ended(self._probing, seen)
        else:
            self._rcpt_ended(seen)

    def _probe_ended(self, domain: str, seen: Observation) -> None:
        self.made_up[domain] = seen
        if seen.reply is not None and not is_shutting_down(seen.reply):
            self._learn_limit()

    def _rcpt_ended(self, seen: Observation) -> None:
        if self._answered:  # it was not the first: asked alone it may be answered
            if seen.reply is not None and not is_shutting_down(seen.reply):
                self._learn_limit()
        elif self._asking is not None:  # and only this one: some hosts punish nothing but guesses
            self.observations[self._asking] = seen

    def _seen(self, stage: Stage, reply: Reply) -> Observation:
        return Observation(stage, self._host, self._address, reply, None)

    def _troubled(self, stage: Stage, trouble: Trouble) -> Observation:
        return Observation(stage, self._host, self._address, None, trouble)


class _Ended(Exception):
    """The connection is over, with a last reply (421) or without."""

    def __init__(self, reply: Reply | None, trouble: Trouble | None) -> None:
        self.reply = reply
        self.trouble = trouble
        super().__init__()


def _drain(writes: Iterator[tuple[bytes, ...]]) -> Generator[Step, Reply, None]:
    """Read the replies to a group whose sender was refused: they can only say so again."""
    for lines in writes:
        yield Stage.RCPT, lines


def _keywords(text: str) -> frozenset[str]:
    """The extension keywords of an EHLO reply: every line but the first (RFC 5321 4.1.1.1)."""
    return frozenset(line.split(" ", 1)[0].upper() for line in text.split("\n")[1:] if line)
