"""Tables that know their path."""

import pytest

from mailvet.testbed.tables import Table, WorldError, expand


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", ["plain"]),
        ("user{0..2}", ["user0", "user1", "user2"]),
        ("u{1..2}@d{8..9}.test", ["u1@d8.test", "u1@d9.test", "u2@d8.test", "u2@d9.test"]),
        ("a{b}c", ["a{b}c"]),
        ("none{3..2}", []),
    ],
)
def test_a_range_stands_for_its_numbers(text: str, expanded: list[str]) -> None:
    """Every combination of the ranges comes out, in order; other braces are letters."""
    assert expanded == list(expand(text))


def test_a_wrong_type_is_named_with_its_path() -> None:
    """The message says where the field is, what it must be and what it is."""
    with pytest.raises(WorldError, match=r"^host\[3\]\.name: must be a text, not a whole number$"):
        Table({"name": 7}, "host[3]").get("name", str, "")


def test_a_missing_key_is_named_with_its_path() -> None:
    """A key that must be there is missed by its path."""
    with pytest.raises(WorldError, match=r"^host\[0\]\.name: is missing"):
        Table({}, "host[0]").need("name", str)


def test_true_is_no_number() -> None:
    """TOML keeps booleans and numbers apart, and so does a table."""
    with pytest.raises(WorldError, match="must be a whole number, not true or false"):
        Table({"n": True}, "").get("n", int, 0)
    with pytest.raises(WorldError, match="must be a number, not true or false"):
        Table({"n": True}, "").get("n", float, 0.0)


def test_a_whole_number_passes_as_a_float() -> None:
    """`delay_s = 2` is as good as `delay_s = 2.0`."""
    got = Table({"delay_s": 2}, "").get("delay_s", float, 0.0)
    assert (2.0, float) == (got, type(got))


def test_texts_take_one_text_or_many() -> None:
    """A single text counts as a list of one; ranges are expanded in both."""
    assert ("a0", "a1") == Table({"k": "a{0..1}"}, "").texts("k")
    assert ("a", "b") == Table({"k": ["a", "b"]}, "").texts("k")
    assert () == Table({}, "").texts("k")


@pytest.mark.parametrize(("value", "path"), [(7, "k: "), (["a", 7], r"k\[1\]: ")])
def test_texts_refuse_what_is_no_text(value: object, path: str) -> None:
    """The item that is wrong is named by its index."""
    with pytest.raises(WorldError, match="^" + path):
        Table({"k": value}, "").texts("k")


def test_an_unknown_key_is_refused_with_the_known_ones() -> None:
    """A typing error does not pass as a default."""
    table = Table({"nmae": "x"}, "host[0]")
    table.get("name", str, "")
    with pytest.raises(WorldError, match=r"^host\[0\]\.nmae: is not known here; known keys: name"):
        table.refuse_unknown()


def test_tables_carry_their_index() -> None:
    """Each table of an array knows which one it is."""
    assert ["zone[0]", "zone[1]"] == [t.path for t in Table({"zone": [{}, {}]}, "").tables("zone")]


@pytest.mark.parametrize("value", [7, {}])
def test_an_array_of_tables_must_be_one(value: object) -> None:
    """`zone = 7` and `[zone]` are told how to be written."""
    with pytest.raises(WorldError, match=r"write \[\[zone\]\]"):
        list(Table({"zone": value}, "").tables("zone"))


def test_an_item_must_be_a_table() -> None:
    """A list of texts is no array of tables."""
    with pytest.raises(WorldError, match=r"^zone\[0\]: must be a table, not a text"):
        list(Table({"zone": ["x"]}, "").tables("zone"))
