"""What movieql does for people; knows the domain and the ports, nothing else."""
