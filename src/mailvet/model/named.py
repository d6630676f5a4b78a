"""How the named tuples that are made for every entry are made."""

new = tuple.__new__
"""`new(Address, (local_part, domain))`: what `Address(local_part, domain)` returns, without the
constructor that a `NamedTuple` has, which is Python and takes two to four times as long."""
