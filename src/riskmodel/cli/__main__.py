"""The command line, as ``python -m riskmodel.cli``."""

from riskmodel.cli import main

main()
