"""The whole system on one machine, from a gallery to an answer: what `make demo` and `make run` call."""
