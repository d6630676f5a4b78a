"""What the answers about all mailboxes share of which a host says the same, or the same but a name.

Most hosts have one sentence for mailboxes they take, and one for those they do not; the second
mostly names the mailbox.
"""

from collections.abc import Hashable
from typing import NamedTuple

from mailvet.engine.case import Case
from mailvet.engine.encoder import Encoder
from mailvet.engine.explain import explain
from mailvet.engine.judge import smtp_evidence
from mailvet.engine.sorts import Sorts
from mailvet.model.named import new
from mailvet.model.reply import Observation, Reading
from mailvet.model.status import EntryStatus

MAX_WORDS = 8192
"""Observations remembered, about a kilobyte each."""


class Heard(NamedTuple):
    """An observation, encoded."""

    seen: Observation | None
    reading: Reading | None
    sort: int
    """Equal for observations that differ in nothing an answer depends on but what stands here."""
    words: str
    """What was said, encoded."""
    evidence: bytes
    """The same as evidence about the mailbox."""
    sentences: dict[EntryStatus, str]
    """What is said of it to people, encoded, by what became of the mailbox."""


SILENCE = Heard(None, None, 0, "", b"", {})
"""Nobody was asked."""


class Hearing:
    """Observations, each encoded once, or as much of it as comes again."""

    def __init__(self, encoder: Encoder, sorts: Sorts) -> None:
        self._encoder = encoder
        self._sorts = sorts
        self._voices: dict[Hashable, tuple[int, str]] = {}
        self._last_host = ("", "", "")
        self._words: dict[tuple[Observation, Reading | None], Heard] = {}
        self._last = SILENCE

    def of(self, seen: Observation, reading: Reading | None) -> Heard:
        """Return what is shared of an observation."""
        last = self._last
        if last.seen is seen and last.reading is reading:
            return last
        heard = self._words.get((seen, reading)) or self._listen(seen, reading)
        self._last = heard
        return heard

    def sentence(self, case: Case, status: EntryStatus, heard: Heard) -> str:
        """Return the encoded sentence about a case that was asked about."""
        sentence = heard.sentences.get(status)
        if sentence is None:
            sentence = self._encoder.explanation(explain(case, status))
            if heard is not SILENCE:
                heard.sentences[status] = sentence
        return sentence

    def forget(self) -> None:
        """Drop what is remembered."""
        self._voices.clear()
        self._words.clear()
        self._last = SILENCE

    def _listen(self, seen: Observation, reading: Reading | None) -> Heard:
        stage, host, address, reply, trouble = seen
        code, text, enhanced = (0, "", None) if reply is None else reply
        key = (id(stage), code, enhanced, id(trouble), reading)
        voice = self._voices.get(key)
        if voice is None:
            if len(self._voices) >= MAX_WORDS:
                self._voices.clear()
            sort = self._sorts.of((stage, reply is None, code, trouble, reading))
            observed = smtp_evidence(seen, reading)
            assert observed is not None
            voice = self._voices[key] = (sort, self._encoder.voice(observed))
        words = self._encoder.words(self._host(host, address) + voice[1], text)
        evidence = self._encoder.mailbox_evidence(words)
        heard = new(Heard, (seen, reading, voice[0], words, evidence, {}))
        if "@" not in text:  # or it names the mailbox, and will not come again
            if len(self._words) >= MAX_WORDS:
                self._words.clear()
            self._words[seen, reading] = heard
        return heard

    def _host(self, host: str, address: str) -> str:
        """Who said it, encoded: the last one has mostly more to say."""
        last_host, last_address, encoded = self._last_host
        if last_host != host or last_address != address:
            encoded = self._encoder.host(host, address)
            self._last_host = (host, address, encoded)
        return encoded
