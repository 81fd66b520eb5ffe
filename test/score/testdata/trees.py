"""Trains scikit-learn's histogram boosting on matrices that the scorer wrote, and writes its predictions.

Usage: trees.py FOLDER ROWS COLS TRAIN. x.bin is float32 by columns, y.bin float64; the first TRAIN rows teach, the
others are predicted into NAME.out (float64). Prints a JSON object of CPU seconds by name."""
import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"  # what one core can do, as the other side

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

folder, rows, cols, train = sys.argv[1], *map(int, sys.argv[2:])
x = np.fromfile(os.path.join(folder, "x.bin"), dtype="<f4").reshape(cols, rows).T
y = np.fromfile(os.path.join(folder, "y.bin"), dtype="<f8")
seconds = {}
for name, loss in (
    ("poisson", {"loss": "poisson"}),
    ("q50", {"loss": "quantile", "quantile": 0.5}),
    ("q70", {"loss": "quantile", "quantile": 0.7}),
    ("q90", {"loss": "quantile", "quantile": 0.9}),
):
    model = HistGradientBoostingRegressor(
        learning_rate=0.1, max_iter=200, max_leaf_nodes=31, min_samples_leaf=40, l2_regularization=1.0,
        max_bins=255, early_stopping=False, random_state=1, **loss,
    )
    start = time.process_time()
    model.fit(x[:train], y[:train])
    seconds[name] = time.process_time() - start
    model.predict(x[train:]).astype("<f8").tofile(os.path.join(folder, name + ".out"))
print(json.dumps(seconds))
