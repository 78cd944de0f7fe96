"""One-off measurements that documents and comments cite. No targets: each is run by its own name."""
