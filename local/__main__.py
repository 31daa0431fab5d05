"""`python -m local`: see `cli.py`."""

import sys

from local import interrupts
from local.cli import main

interrupts.install()
sys.exit(main())
