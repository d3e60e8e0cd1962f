"""What judging and training share in both services; serving never needs it."""
