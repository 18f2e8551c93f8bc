"""`webcare ingest`: a file of posts becomes mentions, over the same HTTP door that everybody uses.

Knows files, columns and batches. Refuses to know what becomes of a mention: it repeats what the service answers.
"""
