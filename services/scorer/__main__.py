"""The entry point of ``python -m services.scorer``."""

import os
import sys

# MLflow decides at import time whether it sends usage data to its makers. What a team evaluates is private.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from services.scorer.app import main
from shared.processes.hosting import threads
from shared.sandbox.privileges import hide_from_others

# For the child processes that draw and compare. A metric host is told its number of threads on its command line.
for name, number in threads(1).items():
    os.environ.setdefault(name, number)

hide_from_others()  # this process knows passwords, and its hosts run as the same user
sys.exit(main())
