"""Membership knowledge: lists of domains and role names, misspelt domains, mail operators."""

from mailvet.lists.exchangers import Operator, operator_of
from mailvet.lists.inventory import ListSource, inventory
from mailvet.lists.loading import load_lists
from mailvet.lists.membership import Hit, Lists, Membership
from mailvet.lists.targets import is_great_provider
from mailvet.lists.typos import suggest

__all__ = [
    "Hit",
    "ListSource",
    "Lists",
    "Membership",
    "Operator",
    "inventory",
    "is_great_provider",
    "load_lists",
    "operator_of",
    "suggest",
]
