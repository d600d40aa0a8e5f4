"""Framing: finds the records in landed bytes. It streams with constant memory, and knows no provider.

A feed decides whether a record is valid. Framing only finds it, so that a bad record affects no other record.
"""
