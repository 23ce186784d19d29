"""What a stream record costs: `observe` beside Powertools' batch, TypeDeserializer and metrics."""
