"""The runs of clips and studies in MLflow."""
