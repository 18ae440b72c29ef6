"""History: what fit returns."""

from .base import Callback


class History(Callback):
    """`history`: a list for each name of the logs, with an entry for each epoch; `epoch`: their numbers, from 0."""

    def __init__(self):
        super().__init__()
        self.history, self.epoch = {}, []
        self._epochs = {}  # those of each name

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._epochs.setdefault(name, []).append(epoch)

    def plot(self, names=None, path=None):
        """Draws loss and metrics over the epochs, those of the validation beside them, and returns matplotlib's figure.

        names: which ones, without val_; all by default. path: also saves the picture there. Raises ImportError without matplotlib.
        """
        if not self.history:
            raise ValueError("History.plot: there is nothing to draw before the first epoch")
        if names is None:
            names = [name for name in self.history if not name.startswith("val_") or name[4:] not in self.history]
            names.sort(key=lambda name: name != "loss")
        names = [names] if isinstance(names, str) else list(names)
        missing = [name for name in names if name not in self.history]
        if missing:
            raise ValueError(f"History.plot: there is no {missing[0]!r}, but {', '.join(self.history)}")
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError("History.plot needs matplotlib; pip install matplotlib") from error
        figure, axes = plt.subplots(1, len(names), figsize=(5 * len(names), 3.5), squeeze=False, layout="constrained")
        for axis, name in zip(axes[0], names):
            for label, series in (("training", name), ("validation", f"val_{name}")):
                if series in self.history:
                    axis.plot([epoch + 1 for epoch in self._epochs[series]], self.history[series], label=label)
            axis.set(xlabel="epoch", title=name)
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.grid(alpha=0.3)
            if len(axis.get_lines()) > 1:
                axis.legend()
        if path is not None:
            figure.savefig(path)
        return figure

    def __getstate__(self):
        return self.__dict__ | {"model": None}  # results may be kept without the model

    def __repr__(self):
        return f"<History: {len(self.epoch)} epochs of {', '.join(self.history) or 'nothing'}>"
