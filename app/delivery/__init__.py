"""What leaves the building: webhooks to departments and words for channels; first a row, then a signed POST."""
