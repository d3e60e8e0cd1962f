"""Requests that are sent again: whoever gives them an Idempotency-Key gets the first answer again, and nothing is done
twice (draft-ietf-httpapi-idempotency-key-header).
"""
