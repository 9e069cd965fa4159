"""ConvLSTM2D as Keras had it on Theano, which padded otherwise."""

from __future__ import annotations

from typing import Any

from ... import ops
from ..conv_lstm import ConvLSTM2D, ConvLSTMCell


class TheanoConvLSTMCell(ConvLSTMCell):
    """One step of a convolutional LSTM, with half of each window before the first place.

    So the convolution of the state is padded, and with padding 'same' that of the inputs.
    """

    def _from_inputs(self, x: Any, kernel: Any, bias: Any) -> Any:
        if self.padding == "valid":
            return super()._from_inputs(x, kernel, bias)
        over_steps = x.shape[: x.ndim - self.rank - 1]  # (batch,) or (batch, steps)
        images = ops.reshape(x, (-1, *x.shape[len(over_steps) :]))
        y = self._halved(images, kernel, self.strides, self.dilation_rate)
        y = y if bias is None else y + self._beside_places(bias)
        return ops.reshape(y, (*over_steps, *y.shape[1:]))

    def _from_state(self, h: Any, kernel: Any, bias: Any) -> Any:
        return self._halved(h, kernel, (1,) * self.rank, (1,) * self.rank)

    def _halved(self, x: Any, kernel: Any, strides: Any, dilation_rate: Any) -> Any:
        windows = [
            (size - 1) * rate + 1
            for size, rate in zip(self.kernel_size, dilation_rate, strict=True)
        ]
        margins = [(window // 2, (window - 1) // 2) for window in windows]
        first = 1 if self.data_format == "channels_last" else 2
        around = [(0, 0)] * first + margins + [(0, 0)] * (2 - first)
        return ops.conv(
            ops.pad(x, around), kernel, strides, "valid", self.data_format, dilation_rate
        )

    def _beside_places(self, bias: Any) -> Any:
        """The bias with axes for the places of images where those come last."""
        after = self.rank if self.data_format == "channels_first" else 0
        return ops.reshape(bias, (*bias.shape, *[1] * after))


class TheanoConvLSTM2D(ConvLSTM2D):
    """ConvLSTM2D whose windows begin further left than today's where they are of even length.

    And with padding 'same' where there are strides: see `TheanoConvLSTMCell`.
    """

    def __init__(self, filters: int, kernel_size: Any, **kwargs: Any):
        super().__init__(filters, kernel_size, **kwargs)
        self.cell = TheanoConvLSTMCell.from_config(self.cell.get_config())
