"""A picture in, the probabilities and maps of the 14 labels out; and whether it is a chest radiograph at all."""
