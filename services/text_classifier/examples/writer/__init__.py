"""Composes impressions whose labels are known."""
