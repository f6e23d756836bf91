"""What models, voices and calls cost: counted from events, priced by dated tables, summed up for the day."""
