"""Networks by name, and from a model folder. They need torch: training has it, and serving where no graph was written."""
