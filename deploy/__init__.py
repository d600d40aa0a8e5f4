"""An installation: Airflow's processes with their settings, and the command that starts all of them."""
