"""The servers that only the embedded stack has: Redis, MLflow, and the relay to MLflow."""
