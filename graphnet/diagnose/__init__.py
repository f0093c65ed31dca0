"""What values and gradients tell about the health of a network: `graph.doctor()`."""
