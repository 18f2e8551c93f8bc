"""Figures for managers: how well promises were kept and what customers thought, by period and group."""
