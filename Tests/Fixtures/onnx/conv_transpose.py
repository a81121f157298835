"""ConvTranspose for the reference evaluator, whose own one refuses several output channels a group."""
import numpy
from onnx.reference.op_run import OpRun


class ConvTranspose(OpRun):
    """Two spatial axes, explicit pads. Source: ONNX ConvTranspose-11."""

    def _run(self, X, W, B=None, auto_pad=None, dilations=None, group=None, kernel_shape=None,
             output_padding=None, output_shape=None, pads=None, strides=None):
        assert X.ndim == 4 and auto_pad in (None, "NOTSET") and output_shape is None
        strides, dilations, pads = strides or [1, 1], dilations or [1, 1], pads or [0] * 4
        output_padding, groups = output_padding or [0, 0], group or 1
        count, input_channels, *input_sides = X.shape
        group_inputs, group_outputs, kernel = input_channels // groups, W.shape[1], W.shape[2:]
        # The uncropped output; output_padding adds rows and columns at the end that nothing is spread to.
        sides = [(input_sides[a] - 1) * strides[a] + (kernel[a] - 1) * dilations[a] + 1 + output_padding[a]
                 for a in range(2)]
        output = numpy.zeros((count, groups * group_outputs, *sides), X.dtype)
        for i in range(input_channels):
            first = i // group_inputs * group_outputs
            for y in range(kernel[0]):
                for x in range(kernel[1]):
                    top, left = y * dilations[0], x * dilations[1]
                    rows = slice(top, top + (input_sides[0] - 1) * strides[0] + 1, strides[0])
                    columns = slice(left, left + (input_sides[1] - 1) * strides[1] + 1, strides[1])
                    spread = X[:, i, None] * W[i, :, y, x][None, :, None, None]
                    output[:, first : first + group_outputs, rows, columns] += spread
        if B is not None:
            output += B[None, :, None, None]
        bottom, right = sides[0] - pads[2], sides[1] - pads[3]
        return (output[:, :, pads[0] : bottom, pads[1] : right],)
