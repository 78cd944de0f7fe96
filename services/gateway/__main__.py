"""``python -m services.gateway``"""

import sys

from services.gateway.app import main
from shared.sandbox.privileges import hide_from_others

hide_from_others()  # it knows passwords, and runs as the same user as the decoder
sys.exit(main())
