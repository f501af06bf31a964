"""Sends a run's figures and settings to Weights and Biases.

    pip install wandb
    python3 to_wandb.py RUN [PROJECT]

With WANDB_MODE=offline nothing leaves the machine: the run lies in wandb/offline-run-*, and `wandb sync` sends it later.
"""

import wandb
from run_figures import arguments, figures, settings

folder, project = arguments(__doc__)
rows = list(figures(folder))  # Before anything is sent: a broken file sends nothing.
with wandb.init(project=project, name=folder.resolve().name, config=settings(folder)) as run:
    for step, row in rows:
        run.log(row, step=step)
print(f"{len(rows)} lines of {folder} logged to the project {project}")
