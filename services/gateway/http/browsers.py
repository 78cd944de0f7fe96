"""What every answer tells a browser: not to guess content types, and to load nothing for it.

Owns the constant headers and the policy of our pages.
"""

from __future__ import annotations

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Content-Security-Policy of what is not a page: data, audio, problems."""
OWN_FILES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of our pages. Scripts are files of ours, never inline; nothing is loaded from elsewhere."""

POLICY = b"content-security-policy"
CONSTANT = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""Headers of every answer, besides a policy."""
