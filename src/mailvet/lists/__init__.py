"""Membership knowledge: lists of domains and role names, misspelt domains, mail operators."""

from mailvet.lists.exchangers import Operator, operator_of
from mailvet.lists.loading import load_lists
from mailvet.lists.membership import Hit, Lists, Membership

__all__ = ["Hit", "Lists", "Membership", "Operator", "load_lists", "operator_of"]
