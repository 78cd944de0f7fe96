"""What all commands share: their options, the terminal, exit codes."""
