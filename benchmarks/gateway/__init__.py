"""What requests, lists and claims cost."""
