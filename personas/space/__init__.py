"""What generated personas are drawn from: voices, names, lines, manners."""
