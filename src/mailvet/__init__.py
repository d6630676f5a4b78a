"""mailvet: can this address take mail, and how do you know?"""

__version__ = "0.1.0"
