"""Labels by rules, without any model: they label the texts that a model learns from."""
