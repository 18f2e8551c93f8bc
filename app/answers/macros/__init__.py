"""Macros: texts that are agreed and ready to be said."""
