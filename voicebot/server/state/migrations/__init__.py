"""How the tables of older versions become today's: run by `schema.migrate`, in one transaction."""
