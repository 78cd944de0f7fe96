"""The database: opening, migrating, its clock, and checks that it is whole."""
