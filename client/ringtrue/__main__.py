"""``python -m ringtrue`` runs the `ringtrue` command."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # the current folder: its files are not modules of ours

from ringtrue.cli import main

if __name__ == "__main__":
    sys.exit(main())
