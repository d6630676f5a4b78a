"""Hosts that refuse for reasons of their own: our address, our name, our sender, their trouble."""

from dataclasses import dataclass

from mailvet.testbed.dialogue import Answer, Recipient, Step, Then, Visit, say
from mailvet.testbed.personalities.plain import Plain, fill


@dataclass(kw_only=True)
class Refuses(Plain):
    """Says the same words to everyone at one step of the dialogue."""

    at: Step = Step.RCPT
    reply: str = "550 5.7.1 Rejected"
    closes: bool = False
    """Whether it hangs up after that."""

    def greet(self, visit: Visit) -> Answer:
        """Refuse the connection when that is the step."""
        return self._refuse(visit) if self.at is Step.BANNER else super().greet(visit)

    def hello(self, visit: Visit, offered: tuple[str, ...] | None) -> Answer:
        """Refuse EHLO and HELO when that is the step."""
        return self._refuse(visit) if self.at is Step.EHLO else super().hello(visit, offered)

    def mail(self, visit: Visit) -> Answer:
        """Refuse the sender when that is the step."""
        return self._refuse(visit) if self.at is Step.MAIL else super().mail(visit)

    def rcpt(self, visit: Visit, recipient: Recipient) -> Answer:
        """Refuse every recipient, known or not, when that is the step."""
        if self.at is Step.RCPT:
            return self._refuse(visit, recipient)
        return super().rcpt(visit, recipient)

    def _refuse(self, visit: Visit, recipient: Recipient | None = None) -> Answer:
        then = Then.CLOSE if self.closes else Then.STAY
        return say(fill(self.reply, visit, recipient), then)


@dataclass(kw_only=True)
class BlocksAtBanner(Refuses):
    """Our IP address is on a list this host looks up before it says a word."""

    at: Step = Step.BANNER
    reply: str = "554 5.7.1 {host}: client host [{client}] blocked using bl.example"
    closes: bool = True


@dataclass(kw_only=True)
class BlocksAtRcpt(Refuses):
    """The same, but Postfix by default keeps its refusal until the first RCPT."""

    reply: str = "550 5.7.1 Service unavailable; Client host [{client}] blocked using bl.example"


@dataclass(kw_only=True)
class RejectsSender(Refuses):
    """Does not like the domain in MAIL FROM; often told only at RCPT."""

    reply: str = "550 5.1.8 <{sender}>: Sender address rejected: Domain not found"


@dataclass(kw_only=True)
class RejectsHelo(Refuses):
    """Wants a HELO name that resolves."""

    at: Step = Step.EHLO
    reply: str = "550 5.7.1 <{helo}>: Helo command rejected: Host not found"


@dataclass(kw_only=True)
class DefersAtBanner(Refuses):
    """A large provider that has seen too much of our address lately (Yahoo's TSS04)."""

    at: Step = Step.BANNER
    reply: str = (
        "421 4.7.0 [TSS04] Messages from {client} temporarily deferred due to unexpected volume "
        "or user complaints"
    )
    closes: bool = True


@dataclass(kw_only=True)
class RelayDenied(Refuses):
    """An MX record points at a host that knows nothing of the domain."""

    reply: str = "554 5.7.1 <{mailbox}>: Relay access denied"


@dataclass(kw_only=True)
class ServerTrouble(Refuses):
    """The host itself is in trouble: its disk is full, its database is down."""

    reply: str = "451 4.3.0 <{mailbox}>: Temporary lookup failure"


@dataclass(kw_only=True)
class RefusesEhlo(Plain):
    """An old appliance that has never heard of EHLO and takes HELO (RFC 5321 3.2)."""

    def hello(self, visit: Visit, offered: tuple[str, ...] | None) -> Answer:
        """Refuse EHLO only."""
        if offered is not None:
            return say("502 5.5.1 Command not implemented")
        return super().hello(visit, offered)


@dataclass(kw_only=True)
class InsistsOnTls(Plain):
    """Takes no mail in the clear (RFC 3207 4); the world must offer STARTTLS."""

    def mail(self, visit: Visit) -> Answer:
        """Refuse until the session is encrypted."""
        if not visit.tls:
            return say("530 5.7.0 Must issue a STARTTLS command first")
        return super().mail(visit)
