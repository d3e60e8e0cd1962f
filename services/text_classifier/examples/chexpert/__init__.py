"""CheXpert's labels and CheXpert Plus' reports, put together as the original project had them."""
