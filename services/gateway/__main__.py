"""``python -m services.gateway``"""

import gc
import sys

gc.disable()  # what is imported stays: to look through it for garbage again and again takes a sixth of the time

from services.gateway.app import main  # noqa: E402
from shared.sandbox.privileges import hide_from_others  # noqa: E402

gc.enable()

if __name__ == "__main__":
    hide_from_others()  # it knows passwords, and runs as the same user as the decoder
    sys.exit(main())
