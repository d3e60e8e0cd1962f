"""The gate that tells frontal chest radiographs from all else: how it is fitted and judged."""
