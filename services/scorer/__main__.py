"""The entry point of ``python -m services.scorer``."""

import os
import sys

from services.scorer.app import main
from shared.processes.hosting import threads
from shared.sandbox.privileges import hide_from_others

# For the child processes that draw and compare. A metric host is told its number of threads on its command line.
for name, number in threads(1).items():
    os.environ.setdefault(name, number)

hide_from_others()  # this process knows passwords, and its hosts run as the same user
sys.exit(main())
