"""What users share: threads, commits, the backlog and waiting."""
