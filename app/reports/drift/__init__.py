"""Topics that change: their weeks side by side, and an alarm where one suddenly grows or sours."""
