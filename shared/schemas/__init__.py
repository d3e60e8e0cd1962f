"""Every wire model, by what it describes: text, images, search, system."""
