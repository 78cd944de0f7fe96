"""What every request and answer needs: bodies while they arrive, problem documents, rules on origins and browsers."""
