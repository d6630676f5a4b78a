"""Rows of entries that need nobody asked, filled in many at a time.

Half of what a row costs is to find out what it needs: here all of one call need the same. What
every row needs has a local name: each name of the module is looked up in a dictionary.
"""

from collections.abc import Iterable, Mapping

from mailvet.engine.encoder import Fault, Plain, Repeat
from mailvet.model.batch import ResultRow
from mailvet.model.named import new
from mailvet.rpc.forms import (
    CANONICAL,
    CUSTOM,
    DUPLICATE,
    EMAIL,
    EXPLANATION,
    FAULT,
    INDEX,
    INPUT,
    LENGTHS,
    LOCAL_PART,
    RESULT,
    Form,
    Forms,
    number_text,
)


class PlainForms(Forms):
    """Encodes results by form, and plain ones many at a time.

    Texts are ASCII and short, as `engine.offhand` sees to.
    """

    def plain(
        self,
        form: Form,
        plain: Iterable[Plain],
        now: float,
        basic: str,
        more: str,
        evidence: bytes,
    ) -> list[ResultRow]:
        """Return the rows of addresses answered at `now`, as `fill` does."""
        status, classification, own_basic, own_more, own_evidence = form
        shared = f"{self.time_text(now)}{basic}{own_basic}"
        rest = f"{own_more}{more}{LOCAL_PART}"
        evidence = own_evidence + evidence
        tag, text, email, canonical, lengths = INDEX, INPUT, EMAIL, CANONICAL, LENGTHS
        make, kind, result, known = new, ResultRow, RESULT, len(rest)
        rows = []
        for index, address, custom, local_part in plain:
            size = lengths[len(address)]
            own = f"{CUSTOM}{lengths[len(custom)]}{custom}" if custom else ""
            first = (
                f"{tag}{number_text(index)}{text}{size}{address}{own}{email}{size}{address}{shared}"
            )
            name = f"{lengths[len(local_part)]}{local_part}{canonical}{size}{address}"
            length = len(first)
            total = number_text(length + known + len(name))
            doc = f"{result}{total}{first}{rest}{name}".encode("latin-1")
            rows.append(make(kind, (index, status, classification, doc, length, evidence)))
        return rows

    def repeats(
        self, forms: Mapping[str, Form], repeats: Iterable[Repeat], now: float, sentence: str
    ) -> list[ResultRow]:
        """Return the rows of duplicates answered at `now`, whose address is all that was sent.

        `forms` is by domain; in `sentence` stands `{original}` for the index of the first.
        """
        moment = self.time_text(now)
        before, _, after = sentence.partition("{original}")
        said = len(before) + len(after)
        tag, text, email, canonical, lengths = INDEX, INPUT, EMAIL, CANONICAL, LENGTHS
        make, kind, result, mailbox = new, ResultRow, RESULT, LOCAL_PART
        told, repeated = f"{moment}{EXPLANATION}", f"{after}{DUPLICATE}"
        rows = []
        for index, address, custom, original, local_part, domain in repeats:
            status, classification, basic, more, evidence = forms[domain]
            size = lengths[len(address)]
            own = f"{CUSTOM}{lengths[len(custom)]}{custom}" if custom else ""
            same = str(original)
            first = (
                f"{tag}{number_text(index)}{text}{size}{address}{own}{email}{size}{address}"
                f"{told}{lengths[said + len(same)]}{before}{same}{repeated}"
                f"{number_text(original)}{basic}"
            )
            name = f"{lengths[len(local_part)]}{local_part}"
            rest = f"{more}{mailbox}{name}{canonical}{size}{address}"
            length = len(first)
            doc = f"{result}{number_text(length + len(rest))}{first}{rest}".encode("latin-1")
            rows.append(make(kind, (index, status, classification, doc, length, evidence)))
        return rows

    def faults(
        self, forms: Mapping[str, Form], faults: Iterable[Fault], now: float
    ) -> list[ResultRow]:
        """Return the rows of texts that are no address, answered at `now`; `forms` by reason."""
        told = f"{self.time_text(now)}{FAULT}"
        tag, sent, lengths = INDEX, INPUT, LENGTHS
        make, kind, result = new, ResultRow, RESULT
        rows = []
        for index, text, custom, reason, place in faults:
            status, classification, basic, more, evidence = forms[reason]
            own = f"{CUSTOM}{lengths[len(custom)]}{custom}" if custom else ""
            first = (
                f"{tag}{number_text(index)}{sent}{lengths[len(text)]}{text}{own}{told}"
                f"{number_text(place)}{basic}"
            )
            length = len(first)
            doc = f"{result}{number_text(length + len(more))}{first}{more}".encode("latin-1")
            rows.append(make(kind, (index, status, classification, doc, length, evidence)))
        return rows
