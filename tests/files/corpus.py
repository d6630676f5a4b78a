"""Awkward files that have to be built: workbooks, bombs, and what is cut or mislabelled."""

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from datetime import date

import xlsxwriter
import xlwt

_ODS_MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"
_ODS_NAMESPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
Table = Sequence[Sequence[object]]
SIMPLE: Table = (("Name", "Email"), ("Ann", "ann@a.test"), ("Bob", "bob@b.test"))


def xlsx(sheets: dict[str, Table], hidden: Sequence[str] = (), merged: Sequence[str] = ()) -> bytes:
    """A workbook of sheets by name; merged ranges in each."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, cells in enumerate(rows):
                sheet.write_row(number, 0, cells)
            for area in merged:
                sheet.merge_range(area, "merged@m.test")
            if name in hidden:
                sheet.hide()
            elif hidden:
                sheet.activate()
                sheet.set_first_sheet()
    return out.getvalue()


def xls(rows: Table) -> bytes:
    """An Excel 97 workbook."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Liste")
    for number, cells in enumerate(rows):
        for at, cell in enumerate(cells):
            sheet.write(number, at, cell)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(rows: Table, more: str = "") -> bytes:
    """An OpenDocument sheet; `more` is XML behind the rows."""
    body = "".join(
        "<table:table-row>"
        + "".join(
            '<table:table-cell office:value-type="string">'
            f"<text:p>{cell}</text:p></table:table-cell>"
            for cell in cells
        )
        + "</table:table-row>"
        for cells in rows
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {_ODS_NAMESPACES}><office:body>'
        f'<office:spreadsheet><table:table table:name="T">{body}{more}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    return archive(
        {"mimetype": _ODS_MIMETYPE, "content.xml": content, "META-INF/manifest.xml": manifest}
    )


def archive(parts: dict[str, str | bytes]) -> bytes:
    """A ZIP of parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return out.getvalue()


def with_part(book: bytes, name: str, content: bytes) -> bytes:
    """The workbook with one part replaced or added."""
    with zipfile.ZipFile(io.BytesIO(book)) as packed:
        parts: dict[str, str | bytes] = {each: packed.read(each) for each in packed.namelist()}
    return archive({**parts, name: content})


def _far_corner() -> bytes:
    """One cell in the last row and column: dense readers want hundreds of gigabytes."""
    rows = (
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>a@a.test</t></is></c></row>'
        b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>b@b.test</t></is></c></row>'
    )
    sheet = (
        b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/'
        b'spreadsheetml/2006/main"><sheetData>' + rows + b"</sheetData></worksheet>"
    )
    return with_part(xlsx({"S": SIMPLE}), "xl/worksheets/sheet1.xml", sheet)


def _lying_sizes() -> bytes:
    """The central directory declares a hundredth of what a part inflates to."""
    content = b"x" * 5_000_000
    book = bytearray(with_part(xlsx({"S": SIMPLE}), "xl/lie.xml", content))
    true_size, lie = len(content).to_bytes(4, "little"), (50_000).to_bytes(4, "little")
    return bytes(book.replace(true_size, lie))


def _entities() -> bytes:
    laugh = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    return with_part(xlsx({"S": SIMPLE}), "xl/sharedStrings.xml", laugh)


def _encrypted() -> bytes:
    """A ZIP whose first part says it is encrypted."""
    book = bytearray(xlsx({"S": SIMPLE}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        book[book.find(mark) + offset] |= 1
    return bytes(book)


def _encrypted_package() -> bytes:
    package = "EncryptedPackage".encode("utf-16-le")
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + package


def _wide() -> Table:
    head = [f"c{n}" for n in range(300)]
    body = ["x"] * 300
    head[250], body[250] = "E-mail", "wide@w.test"
    return head, body


def _typed() -> Table:
    return (
        ("id", "email", "since", "paid"),
        (7, "ann@a.test", 1.5, True),
        (8.0, "bob@b.test", "", False),
    )


def _titled() -> Table:
    return (("Customers of spring", ""), ("", ""), ("who", "mail"), ("Ann", "ann@a.test"))


def _dated() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ("email", "since"))
        sheet.write_string(1, 0, "ann@a.test")
        sheet.write_datetime(
            1, 1, date(2026, 11, 21), book.add_format({"num_format": "yyyy-mm-dd"})
        )
    return out.getvalue()


RECIPES: dict[str, Callable[[], bytes]] = {
    "xlsx": lambda: xlsx({"S": SIMPLE}),
    "xlsx typed": lambda: xlsx({"S": _typed()}),
    "xlsx title above": lambda: xlsx({"S": _titled()}),
    "xlsx wide": lambda: xlsx({"S": _wide()}),
    "xlsx empty": lambda: xlsx({"S": ()}),
    "xlsx header only": lambda: xlsx({"S": SIMPLE[:1]}),
    "xlsx one column": lambda: xlsx({"S": (("ann@a.test",), ("bob@b.test",))}),
    "xlsx first sheet hidden": lambda: xlsx(
        {"H": (("email",), ("hidden@h.test",)), "V": SIMPLE}, hidden=("H",)
    ),
    "xlsx first sheet empty": lambda: xlsx({"E": (), "F": SIMPLE}),
    "xlsx merged": lambda: xlsx({"S": SIMPLE}, merged=("A4:B5",)),
    "xlsx formula text": lambda: xlsx({"S": (("email",), ("=1+1@a.test",))}),
    "xlsx cut off": lambda: xlsx({"S": SIMPLE})[:3000],
    "xlsx far corner": _far_corner,
    "xlsx lying sizes": _lying_sizes,
    "xlsx bomb": lambda: with_part(xlsx({"S": SIMPLE}), "xl/b.xml", b" " * 30_000_000),
    "xlsx 300 MiB": lambda: with_part(xlsx({"S": SIMPLE}), "xl/b.xml", b"0" * (300 << 20)),
    "xlsx entities": _entities,
    "xlsx nested": lambda: with_part(xlsx({"S": SIMPLE}), "xl/in.zip", b"PK"),
    "xlsx many parts": lambda: archive(
        {"xl/workbook.xml": "", **{f"p{n}": "" for n in range(1001)}}
    ),
    "xlsx encrypted parts": _encrypted,
    "xlsx bad sheet": lambda: with_part(
        xlsx({"S": SIMPLE}), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row></c>"
    ),
    "password": _encrypted_package,
    "xls": lambda: xls(SIMPLE),
    "xls cut off": lambda: xls(SIMPLE)[:1500],
    "ods": lambda: ods(SIMPLE),
    "ods repeated": lambda: ods(
        SIMPLE,
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
        'table:number-columns-repeated="16000" office:value-type="string"><text:p>x</text:p>'
        "</table:table-cell></table:table-row>",
    ),
    "zip of text": lambda: archive({"list.csv": "a@a.test"}),
    "gzip": lambda: zlib.compress(b"a@a.test", wbits=31),
    "pdf": lambda: b"%PDF-1.7 ann@a.test",
    "noise": lambda: bytes(range(256)) * 40,
    "long line": lambda: b"a@a.test\n" + b"x" * 400_000 + b"\nb@b.test\n",
    "quotes everywhere": lambda: b"email,n\n" + b'a"b,"c\n' * 1200,
    "text wide": lambda: b",".join(b"c%d" % n for n in range(20_000)) + b"\n",
    "late latin": lambda: b"a@a.test\n" * 40_000 + b"j\xfcrgen@a.test\n",
    "date": _dated,
}
