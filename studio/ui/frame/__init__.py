"""What stands around the pages: rail, top bar, footer and palette."""
