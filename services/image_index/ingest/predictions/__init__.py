"""An index made of a table of predictions, without any picture."""
