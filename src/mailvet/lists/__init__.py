"""Membership knowledge: lists of domains and role names, misspelt domains, mail operators."""

from mailvet.lists.loading import load_lists
from mailvet.lists.membership import Hit, Lists, Membership

__all__ = ["Hit", "Lists", "Membership", "load_lists"]
