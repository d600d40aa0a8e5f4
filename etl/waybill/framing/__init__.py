"""Framing: where one record begins and ends in landed bytes. Streaming, flat in memory; it knows no provider.

Whether a record is good is for its feed to say; here it is only found, so that a bad one spoils neither its array nor
its file.
"""
