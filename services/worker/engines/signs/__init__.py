"""Puts signs, units, currencies and emoji into words of a text's language, for engines that would leave them out."""
