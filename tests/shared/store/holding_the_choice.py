"""``holding_the_choice.py URL``: a process that takes the turn to choose in a PostgreSQL database and stops there."""

from __future__ import annotations

import os
import signal
import sys

from shared.store.sql import Database
from shared.store.sql.choosing import choice

if __name__ == "__main__":
    with Database(sys.argv[1]).write() as connection:
        choice.one_at_a_time(connection)
        print("holding", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
