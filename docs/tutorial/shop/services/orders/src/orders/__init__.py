"""The shop's orders: kept in Postgres, paid through payments, counted in Redis."""
