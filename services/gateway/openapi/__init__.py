"""The OpenAPI document: descriptions of the routes, and the schemas of answers."""
