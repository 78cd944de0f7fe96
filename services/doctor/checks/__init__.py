"""What is looked at, a module per subject. Each check is told what it needs, and imports what it stands on only when it
looks: that it cannot be imported is one of the things to tell."""
