"""Whom a reply concerns: one recipient, a transaction, everybody, or nobody but the host itself.

It keeps the last thing learnt about each recipient, and the limits a host lets on.
"""

from collections.abc import Sequence

from mailvet.model.address import Address
from mailvet.model.named import new
from mailvet.model.reply import Observation, Reply, Stage, Trouble
from mailvet.smtp.demands import Demands, demands_of, is_shutting_down

Heard = Reply | Trouble

_FOR_ALL = (Stage.CONNECT, Stage.BANNER, Stage.EHLO, Stage.STARTTLS)
"""What is said at these stages is said to every recipient."""
_NO_SUCH_COMMAND = (500, 502)


class Ledger:
    """What one dialogue has brought so far; a method that notes a refusal returns whether there
    is any use in going on."""

    __slots__ = (
        "_address",
        "_host",
        "_last",
        "_total",
        "accepted",
        "asking",
        "in_transaction",
        "made_up",
        "observations",
        "one_domain",
        "probing",
        "recipients",
        "recipients_taken",
        "transacted",
        "try_next",
    )

    def __init__(self, recipients: Sequence[Address], host: str, address: str) -> None:
        self.recipients = recipients
        self._host = host
        self._address = address
        self._total = 0
        self._last = Observation(Stage.CONNECT, host, address)
        self.observations: dict[Address, Observation] = {}
        self.made_up: dict[str, Observation] = {}
        self.recipients_taken: int | None = None
        self.one_domain = False
        self.try_next = False
        self.transacted = False
        """Whether the sender was accepted before in this session."""
        self.in_transaction = 0
        """Recipients answered in this transaction."""
        self.accepted = False
        """Whether one of them was accepted."""
        self.asking: Address | None = None
        """Whose answer is due."""
        self.probing: str | None = None
        """The domain whose made-up mailbox's answer is due."""

    @property
    def has_answers(self) -> bool:
        """Whether any recipient was answered."""
        return self._total > 0

    def emptied(self) -> "Ledger":
        """A new one for the same recipients, without what was learnt."""
        return Ledger(self.recipients, self._host, self._address)

    def begin_transaction(self) -> None:
        """Note that the sender was accepted."""
        self.transacted = True
        self.in_transaction = 0
        self.accepted = False

    def all_refused(self, stage: Stage, reply: Reply) -> bool:
        """Note a refusal of the whole session."""
        self._all_see(self._seen(stage, reply))
        self.try_next = True
        return False

    def sender_refused(self, asked: Sequence[Address], mail: Reply) -> bool:
        """Note a refusal of MAIL; it is for the recipients of its transaction."""
        if self.transacted:  # the same sender was taken before: it is a second one that is not
            self.one_domain = True
            return False
        for recipient in asked:
            self.observations[recipient] = self._seen(Stage.MAIL, mail)
        self.try_next = self.try_next or mail.code < 500
        return True

    def accepts(self, recipient: Address, reply: Reply) -> None:
        """Note that RCPT was answered with anything but a refusal."""
        last = self._last
        if reply is not last.reply:  # hosts say the same of all: so do those who report it
            last = self._last = self._seen(Stage.RCPT, reply)
        self.observations[recipient] = last
        self._total += 1
        self.in_transaction += 1
        self.accepted = self.accepted or reply.positive

    def refuses(self, recipient: Address, reply: Reply, demands: Demands) -> bool:
        """Note a refusal of RCPT, unless it is about asking for several."""
        if self._total:
            if demands.one_domain:
                self.one_domain = True
                return False
            if demands.no_other:
                self._learn_limit()
                return False
        self.observations[recipient] = self._seen(Stage.RCPT, reply)
        self._total += 1
        self.in_transaction += 1
        return True

    def made_up_answered(self, domain: str, reply: Reply) -> None:
        """Note the answer about a made-up mailbox; it never touches the real ones.

        A refusal for the number of those before it is no answer, unless it was the second: a
        smaller session can still ask.
        """
        if demands_of(reply).no_other and self._learn_limit() > 1:
            return
        self.made_up[domain] = self._seen(Stage.RCPT, reply)

    def cannot_be_asked(self, recipient: Address, ehlo_refusal: Reply | None) -> None:
        """Note that a recipient needs SMTPUTF8 and the host did not offer it.

        Where it refused us, rather than EHLO, what it would have offered is not known.
        """
        if ehlo_refusal is not None and ehlo_refusal.code not in _NO_SUCH_COMMAND:
            self.observations[recipient] = self._seen(Stage.EHLO, ehlo_refusal)
        else:
            self.observations[recipient] = self._seen(Stage.RCPT, Trouble.NO_SMTPUTF8)

    def ended(self, stage: Stage, heard: Heard) -> None:
        """Note that the connection ended while a reply was due: with 421, or without a word."""
        seen = self._seen(stage, heard)
        self.try_next = self.try_next or seen.reply is None or stage in _FOR_ALL
        if stage in _FOR_ALL or (stage is Stage.MAIL and not self.transacted):
            self._all_see(seen)  # the sender, too, is the same for all
        elif stage is not Stage.RCPT:
            self.one_domain = self.one_domain or seen.reply is not None
        elif self.probing is not None:
            if self._learn_from_farewell(seen.reply) <= 1:
                self.made_up[self.probing] = seen
        elif self._total:  # it was not the first: asked alone it may be answered
            self._learn_from_farewell(seen.reply)
        elif self.asking is not None:  # and only this one: some hosts punish nothing but guesses
            self.observations[self.asking] = seen

    def _learn_from_farewell(self, reply: Reply | None) -> int:
        """How many recipients the host took before it hung up for their number; 0 if it did not."""
        # A connection may break for any reason: only a host that says so has a limit.
        if reply is None or is_shutting_down(reply):
            return 0
        return self._learn_limit()

    def _learn_limit(self) -> int:
        """How many recipients were answered before one was refused for their number."""
        taken = self.in_transaction or self._total
        if self.recipients_taken is None or taken < self.recipients_taken:
            self.recipients_taken = taken
        return self.recipients_taken

    def _all_see(self, seen: Observation) -> None:
        for recipient in self.recipients:
            self.observations.setdefault(recipient, seen)

    def _seen(self, stage: Stage, heard: Heard) -> Observation:
        if isinstance(heard, Reply):
            return new(Observation, (stage, self._host, self._address, heard, None))
        return new(Observation, (stage, self._host, self._address, None, heard))
