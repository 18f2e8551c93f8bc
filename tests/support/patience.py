"""How long a test waits for what must happen.

Knows one bound for all of them, far above what anything takes: a machine that stalls for some seconds is slow, not
wrong. Refuses to be a measure: no test says by it that something is quick.
"""

from datetime import timedelta

PATIENCE = 60.0  # seconds
PATIENT = timedelta(seconds=PATIENCE)
