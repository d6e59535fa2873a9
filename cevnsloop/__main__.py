"""`python -m cevnsloop`."""

import sys

from .app.cli import main

sys.exit(main())
