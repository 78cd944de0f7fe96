"""``python -m ringtrue`` is the `ringtrue` command."""

import sys

from ringtrue.cli import main

if __name__ == "__main__":
    sys.exit(main())
