"""Which of the readings that a job names is heard in its clip."""
