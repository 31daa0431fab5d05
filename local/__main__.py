"""`python -m local`: see `cli.py`."""

import sys

from local.cli import main

sys.exit(main())
