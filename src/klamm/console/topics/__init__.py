"""What is done with whole topics: statistics, another number of replicas."""
