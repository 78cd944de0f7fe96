"""Start a worker: ``python -m services.worker``."""

import sys

from services.worker.app import main
from shared.sandbox.privileges import hide_from_others

hide_from_others()  # this process knows passwords, and its engine hosts run as the same user
sys.exit(main())
