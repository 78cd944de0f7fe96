"""Which pins a worker serves, both built-in ones and those of the catalog."""
