"""The two services, as the gateway sees them."""
