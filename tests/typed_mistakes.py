"""Mistakes that a type checker is to find: one on each line with a comment, which names mypy's code. Never run."""

import numpy as np

import fastopt
from fastopt import kernels, nn
from fastopt.data import Tokenizer

w = np.zeros(3)
fastopt.Adam([w], lr="fast")  # arg-type
fastopt.Adam([w], learning_rate=0.1)  # call-arg
fastopt.Adam([w], like="pytorch")  # arg-type
fastopt.Adam([[1.0, 2.0]])  # arg-type
fastopt.Adam([np.arange(3)])  # arg-type
fastopt.Adamm([w])  # attr-defined
fastopt.SGD([w]).step([w], clip_norm="1")  # arg-type
fastopt.SGD([w]).step(w, norm=1.0)  # call-arg
fastopt.set_num_threads(2.0)  # arg-type
kernels.gemm(np.arange(6), np.arange(6))  # type-var
kernels.gemm([[1.0]], w)  # arg-type
value: str = kernels.penalty(w)[0]  # assignment
nn.Dense("3")  # arg-type
nn.Dense(3, units_first=True)  # call-arg
nn.LSTM(3, recurrent_droput=0.1)  # call-arg
nn.Sequential([w])  # list-item
model = nn.Sequential([nn.Dense(1)])
model.fit(w, w, epochs="3")  # arg-type
model.fit(w, w, batchsize=3)  # call-arg
model.compile("adam", "mse", metric=["mae"])  # call-arg
nn.callbacks.EarlyStopping(patience="3")  # arg-type
nn.optimizers.Adam(lr="1e-3")  # call-arg
Tokenizer().fit_on_texts(3)  # arg-type
nn.losses.Huber(delta="1")  # arg-type
nn.metrics.Precision(thresholds="0.5")  # arg-type
