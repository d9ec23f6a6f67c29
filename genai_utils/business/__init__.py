"""Business models as code: what an answer costs, what it earns, and when a plan breaks."""
