"""``python -m shared.sandbox``: confine this process like a host, and print as JSON what is enforced here."""

from __future__ import annotations

import json

from shared.sandbox import landlock
from shared.sandbox.launcher import confine

if __name__ == "__main__":
    missing = confine({"read": [], "write": [], "listed": [], "sockets": True})
    how = f"seccomp, Landlock {landlock.version()}"
    print(json.dumps({"enforced": not missing, "how": "; ".join(missing) or how}))
