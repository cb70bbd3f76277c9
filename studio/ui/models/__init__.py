"""The Models page: which model judges, and adding a file of one's own."""
