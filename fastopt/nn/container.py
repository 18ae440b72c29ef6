"""Container: a layer that holds layers, and keeps their weights together."""

from .layer import Layer
from .storage import Storage
from .tensor import flat


class Container(Layer):
    """The part of Model that holds its layers and their weights."""

    graph = None
    traced = True

    @property
    def _layers(self):
        return self.graph.layers if self.graph is not None else self._attributes()

    @property
    def layers(self):
        """The layers, in the order of their weights."""
        return list(self._layers)

    def _attributes(self):
        """The layers of a subclass: its attributes and what stands in lists and dicts there, in the order of assignment."""
        found = {}
        for value in vars(self).values():
            for layer in flat(value):
                if isinstance(layer, Layer):
                    found[layer] = True
        return list(found)

    def get_layer(self, name=None, index=None):
        """The layer of this name, or with this index in `layers`; ValueError where there is none."""
        if (name is None) == (index is None):
            raise ValueError("get_layer: expected name or index")
        if index is not None:
            count = len(self._layers)
            if not hasattr(index, "__index__") or not -count <= index < count:
                raise ValueError(f"get_layer: index must be an integer below {count}, the number of layers, got {index!r}")
            return self.layers[index]
        if not isinstance(name, str):
            raise ValueError(f"get_layer: name must be a string, got {name!r}; pass a number as index")
        for layer in self._layers:
            if layer.name == name:
                return layer
        raise ValueError(f"get_layer: no layer is named {name!r}; there are {', '.join(layer.name for layer in self._layers)}")

    @property
    def weights(self):
        """The weights of all layers, each once."""
        return list({id(weight): weight for layer in self._layers for weight in layer.weights}.values())

    @property
    def params(self):
        """The arrays that train, as "layer/name"; an optimizer of fastopt takes the dict as it is."""
        return self._by_name("value")

    @property
    def grads(self):
        """Their gradients as the last backward pass left them, under the same names."""
        return self._by_name("grad")

    def _by_name(self, attribute):
        self.place_weights()
        return {name: getattr(weight, attribute) for weight, name in self._paths().items()}

    def _paths(self):
        """The weights that train, each once, with their names."""
        paths = {}
        for layer in self._layers:
            inner = isinstance(layer, Container)
            found = layer._paths().items() if inner else ((weight, weight.path) for weight in layer.trainable_weights)
            for weight, path in found:
                paths.setdefault(weight, f"{layer.name}/{path}" if inner else path)
        return paths

    def place_weights(self):
        """Moves the weights that lie in no model's buffer yet to one of their own; those of shared layers stay where they are."""
        homeless = [weight for weight in self.weights if weight.storage is None]
        if homeless:
            Storage(homeless, self.dtype)

    @property
    def trainable(self):
        """Whether the weights train; setting it sets that of every layer, from the next compile on."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        for layer in self._layers:
            layer.trainable = value

    @property
    def losses(self):
        """The penalties of the regularisers of weights, as they stand."""
        return [weight.regularizer(weight.value) for weight in self.trainable_weights if weight.regularizer is not None]

    def reset_states(self):
        """Makes the stateful layers start from zeros again."""
        for layer in self._layers:
            if getattr(layer, "stateful", isinstance(layer, Container)):
                layer.reset_states()

    def recast_all(self, layers, dtype):
        """Makes these layers, and this model, compute in a dtype."""
        for layer in layers:
            layer.recast(dtype)
        self.set_dtype(dtype)

    def recast(self, dtype):
        if self.dtype != dtype:
            self.recast_all(self._layers, dtype)
