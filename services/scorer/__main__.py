"""``python -m services.scorer``"""

import os
import sys

# MLflow decides while it is being imported whether it reports its use to its makers; what a team judges is its own.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from services.scorer.app import main
from shared.hosting import threads

# For the children that draw and judge; metric hosts are told how many they may use.
for name, number in threads(1).items():
    os.environ.setdefault(name, number)

sys.exit(main())
