"""`python -m mcport` is the command `mcport`."""

import sys

from .cli import main

sys.exit(main())
