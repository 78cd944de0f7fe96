"""How long a holder may be silent, and which times on a clock cannot be right."""

FORGET_WORKERS_S = 3600.0
"""Seconds of silence after which a worker is forgotten. Its manifests stay known."""

WORKER_LEASE_S = 15.0
"""Seconds after which a worker that does not renew its leases has lost its jobs; ``--lease`` changes it."""

SCORER_LEASE_S = 30.0
"""The same for a scorer: clips that it scores or logs, studies that it computes or logs."""

LONGEST_LEASE_S = 900.0
"""Seconds. No lease is longer without renewal. One that ends later is from before the clock was set back."""

HOLD_SLACK_S = 60.0
"""Seconds. The same for a named lease that ends this much later than the requested one, and for heartbeats."""

CLAIMS_WAIT_S = 30.0
"""Seconds. If jobs wait this long beside an idle worker that serves their pin, something blocks claiming."""
