"""What a visit brought back: observations, and what was learnt about asking the host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailvet.model.address import Address
from mailvet.model.reply import Observation
from mailvet.smtp.transcript import Line


@dataclass(slots=True, init=False)
class Report:
    """Everything observed; nothing judged."""

    observations: Mapping[Address, Observation]
    """The last thing learnt about each recipient that was asked, or could not be."""
    made_up: Mapping[str, Observation]
    """What became of the made-up mailbox, by the envelope's domain."""
    recipients: Sequence[Address]
    """Whom it was all about."""
    recipients_taken: int | None
    """How many were answered where the host refused another one; None: it never did."""
    one_domain: bool
    """The host refused a second transaction, or a second domain."""
    extensions: frozenset[str]
    """Keywords of the last accepted EHLO, in capitals, without parameters."""
    used_starttls: bool
    connected: bool
    """Whether any address took the connection."""
    address: str
    """The IP address that took it last."""
    greeted: bool
    """Whether any host opened with a positive banner."""
    transcript: tuple[Line, ...]
    """Empty unless it was asked for."""

    def __init__(self, recipients: Sequence[Address] = ()) -> None:
        """A report in which nobody was connected to."""
        # By hand: what a dataclass writes for this is never compiled, and each session has one.
        self.observations = {}
        self.made_up = {}
        self.recipients = recipients
        self.recipients_taken = None
        self.one_domain = False
        self.extensions = frozenset()
        self.used_starttls = False
        self.connected = False
        self.address = ""
        self.greeted = False
        self.transcript = ()

    @property
    def unasked(self) -> tuple[Address, ...]:
        """Recipients nothing was said about: ask them again, in another session."""
        return tuple(each for each in self.recipients if each not in self.observations)
