"""What every app has and no model needs: problems, logs, health, metrics, bounds on bodies, time and connections."""
