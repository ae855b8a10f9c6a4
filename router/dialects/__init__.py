"""Which languages are spoken by clients and by providers, and how is one said in the other? Pure functions of bytes."""
