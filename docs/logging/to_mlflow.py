"""Sends a run's figures and settings to MLflow.

    pip install mlflow
    python3 to_mlflow.py RUN [EXPERIMENT]

MLFLOW_TRACKING_URI names the server or the database; without it, MLflow writes mlflow.db here.
"""

import time

import mlflow
from mlflow.entities import Metric, Param
from run_figures import arguments, figures, settings

MOST_METRICS, MOST_PARAMS = 1000, 100  # MLflow takes no more in a request.

folder, experiment = arguments(__doc__)
now = int(1000 * time.time())  # metrics.jsonl has no times: MLflow's charts go by step.
metrics = [Metric(name, value, now, step) for step, row in figures(folder) for name, value in row.items()]
params = [Param(name, str(value)) for name, value in settings(folder).items()]

mlflow.set_experiment(experiment)
with mlflow.start_run(run_name=folder.resolve().name) as run:
    client = mlflow.MlflowClient()
    for at in range(0, len(params), MOST_PARAMS):
        client.log_batch(run.info.run_id, params=params[at : at + MOST_PARAMS])
    for at in range(0, len(metrics), MOST_METRICS):
        client.log_batch(run.info.run_id, metrics=metrics[at : at + MOST_METRICS])
print(f"{len(metrics)} figures of {folder} logged to the experiment {experiment}")
