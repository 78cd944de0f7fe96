"""What a host of models may do, enforced by the kernel (Linux): which files, which system calls, which variables.

Owns the rules, and how they are put in force before the host's first instruction. launcher.py does that: it runs
between a service and each host, and ends everything that the host has started. Knows nothing of what a host does.
"""
