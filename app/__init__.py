"""webcare: routes what customers say on social channels to the department that owns the process."""
