"""`python -m mailvet` is the `mailvet` command."""

from mailvet.cli.main import main

main()
