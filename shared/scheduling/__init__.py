"""Who works on what, and for how long: leases, slots, fair turns between users, polling."""
