"""The report: one HTML file that shows how good a model is, to be opened with a double click."""
