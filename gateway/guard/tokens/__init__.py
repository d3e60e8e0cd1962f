"""Bearer tokens of an identity provider (OAuth 2.0, OpenID Connect): whose keys sign them, and whether one is valid."""
