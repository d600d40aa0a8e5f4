"""An installation: Airflow's processes with their settings, and the one command that starts them all."""
