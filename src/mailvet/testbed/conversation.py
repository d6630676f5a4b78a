"""The polite half of a session: which command is allowed when (RFC 5321 4.1.4), without a socket.

Strict where a client must be right (line ends, order, grammar, offered extensions): it is told in
the reply, and the fault is noted. Everything else is the personality's to answer.
"""

from mailvet.testbed.commands import not_offered, read_command, read_mail, read_rcpt
from mailvet.testbed.dialogue import Answer, Recipient, Then, Visit, say
from mailvet.testbed.personalities.plain import Plain
from mailvet.testbed.places import Host


class Conversation:
    """One visitor at one host; `faults` collects what a client should never do."""

    def __init__(self, host: Host, personality: Plain, visit: Visit) -> None:
        self.faults: list[str] = []
        self.said_quit = False
        self.visit = visit
        self._host = host
        self._personality = personality
        self._extensions: frozenset[str] = frozenset()

    def greet(self) -> Answer:
        """The banner."""
        return self._personality.greet(self.visit)

    def answer(self, line: bytes, *, more_waits: bool) -> Answer:
        """Answer one command line; `more_waits` when the client has sent beyond it already."""
        verb, argument, fault = read_command(line)
        if fault:
            self.faults.append(fault)
            return say("500 5.5.2 Error: bad syntax")
        if more_waits and "PIPELINING" not in self._extensions:
            self.faults.append("pipelined without an offer")
        if more_waits and verb == "STARTTLS":  # RFC 3207 4.2: it must not count after the handshake
            self.faults.append("spoke on after STARTTLS")
        return self._dispatch(verb, argument)

    def tls_started(self) -> None:
        """Forget everything that was said in the clear (RFC 3207 4.2)."""
        self.visit.tls = True
        self.visit.helo = ""
        self._extensions = frozenset()
        self._forget_transaction()

    def _dispatch(self, verb: str, argument: str) -> Answer:
        match verb:
            case "EHLO" | "HELO":
                return self._hello(argument, extended=verb == "EHLO")
            case "MAIL":
                return self._mail(argument)
            case "RCPT":
                return self._rcpt(argument)
            case "RSET":
                self._forget_transaction()
                return say("250 2.0.0 Ok")
            case "NOOP":
                return say("250 2.0.0 Ok")
            case "QUIT":
                self.said_quit = True
                return say("221 2.0.0 Bye", Then.CLOSE)
            case "STARTTLS" if "STARTTLS" in self._extensions:
                return say("220 2.0.0 Ready to start TLS", Then.START_TLS)
            case _:  # DATA, VRFY and EXPN too: a verifier has no business with them
                return self._wrong("502 5.5.1 Error: command not implemented", verb)

    def _hello(self, argument: str, *, extended: bool) -> Answer:
        if not argument.strip():
            return self._wrong("501 5.5.4 Syntax: EHLO hostname")
        self.visit.helo = argument.strip()
        self._forget_transaction()
        offered = tuple(
            line for line in self._host.extensions if line != "STARTTLS" or not self.visit.tls
        )
        answer = self._personality.hello(self.visit, offered if extended else None)
        if not answer.positive:
            self.visit.helo = ""
        names = offered if extended and answer.positive else ()
        self._extensions = frozenset(line.partition(" ")[0] for line in names)
        return answer

    def _mail(self, argument: str) -> Answer:
        if not self.visit.helo:
            return self._wrong("503 5.5.1 Error: send HELO/EHLO first")
        if self.visit.sender is not None:
            return self._wrong("503 5.5.1 Error: nested MAIL command")
        path = read_mail(argument)
        if path is None:
            return self._wrong("501 5.5.4 Syntax: MAIL FROM:<address>")
        stranger = not_offered(path.parameters, self._extensions)
        if stranger:
            return self._wrong("555 5.5.4 Unsupported option", stranger)
        self.visit.smtputf8 = "SMTPUTF8" in path.parameters
        self.visit.sender = f"{path.local_part}@{path.domain}" if path.domain else ""
        answer = self._personality.mail(self.visit)
        if not answer.positive:
            self._forget_transaction()
        return answer

    def _rcpt(self, argument: str) -> Answer:
        if self.visit.sender is None:  # no fault: after a refused MAIL a pipeline runs into this
            return say("503 5.5.1 Error: need MAIL command")
        path = read_rcpt(argument)
        if path is None:
            return self._wrong("501 5.1.3 Bad recipient address syntax", argument)
        stranger = not_offered(path.parameters, self._extensions)
        if stranger:
            return self._wrong("555 5.5.4 Unsupported option", stranger)
        if not (f"{path.local_part}{path.domain}".isascii() or self.visit.smtputf8):
            # RFC 6531 3.4: without the SMTPUTF8 parameter there is no such address.
            return self._wrong("553 5.6.7 Non-ASCII address needs SMTPUTF8")
        try:
            kind = self._host.kind_of(path.local_part, path.domain)
        except UnicodeError:
            return self._wrong("501 5.1.3 Bad domain name", path.domain)
        recipient = Recipient(path.local_part, path.domain, kind)
        self.visit.recipient_count += 1
        answer = self._personality.rcpt(self.visit, recipient)
        if answer.positive:
            self.visit.recipients.append(recipient)
        return answer

    def _forget_transaction(self) -> None:
        self.visit.sender = None
        self.visit.smtputf8 = False
        self.visit.recipients.clear()

    def _wrong(self, reply: str, about: str = "") -> Answer:
        self.faults.append(f"{reply}: {about[:100]}" if about else reply)
        return say(reply)
