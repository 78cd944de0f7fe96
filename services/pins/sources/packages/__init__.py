"""Files inside packages of PyPI and npm. Owns the package archives; pip and npm are asked only where a package is."""
