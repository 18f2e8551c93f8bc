"""Deliveries that are tried again by hand."""
