"""``python -m services.scorer``"""

import os
import sys

# MLflow decides while it is being imported whether it reports its use to its makers; what a team judges is its own.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from services.scorer.app import main

sys.exit(main())
