"""Topics: what a mention is about, told from the words in it.

Knows the taxonomy's shape, phrases as evidence, and languages. Refuses to know departments and what happens next:
a topic names a customer process, `app.routing` says who owns it.
"""
