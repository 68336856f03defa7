"""Local ports that lead into pods: who listens, what is carried, and what others ask for."""
