"""Contracts that every room keeps: labels, wire models, errors and web plumbing."""
