"""`webcare demo`: a day of webcare, played on a service that does not know that it is a play.

Knows the HTTP API and the webhooks, as any client does. Refuses to reach into the service: of this program's own
rooms it uses kit, settings, and the verifying of signatures.
"""
