/// Layers, activations, settings and their values, as configurations name them.
enum KerasVocabulary {
    static let words = layers + activations + settings

    private static let layers = [
        "Activation", "ActivityRegularization", "Absolute", "Add", "AlphaDropout", "Average",
        "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "BatchNormalization", "Bidirectional",
        "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose",
        "Cropping1D", "Cropping2D", "Cropping3D", "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Divide",
        "Dropout", "ELU", "Embedding", "Flatten", "Functional", "GRU", "GlobalAveragePooling1D",
        "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
        "GlobalMaxPooling3D", "GroupNormalization", "Identity", "InputLayer", "LSTM", "LayerNormalization",
        "LeakyReLU", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "Maximum", "Minimum", "Multiply",
        "Negative", "Normalization", "PReLU", "Permute", "Power", "RNN", "ReLU", "RepeatVector", "Rescaling",
        "Reshape", "SeparableConv1D", "SeparableConv2D", "Sequential", "SimpleRNN", "Softmax",
        "SpectralNormalization", "Subtract", "ThresholdedReLU", "TimeDistributed", "TrueDivide",
        "UnitNormalization", "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D",
        "ZeroPadding3D",
    ]

    private static let activations = [
        "celu", "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
        "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softmax",
        "softplus", "softsign", "swish", "tanh",
    ]

    private static let settings = [
        "__keras_tensor__", "activation", "alpha", "approximate", "args", "axis", "axes", "backward_layer",
        "batch_input_shape", "batch_shape", "bilinear", "build_input_shape", "causal", "center",
        "channels_first", "channels_last", "class_name", "concat", "config", "cropping", "data_format",
        "depth_multiplier", "dilation_rate", "dims", "dtype", "epsilon", "filters", "float32", "go_backwards",
        "groups", "inbound_nodes", "input_layers", "int32", "interpolation", "invert", "keepdims",
        "keras_history", "kernel_size", "kwargs", "layer", "layers", "mask_zero", "max_value", "mean",
        "merge_mode", "module", "keras.src.ops.numpy", "mul", "n", "name", "nearest", "negative_slope",
        "offset", "output_layers", "output_padding", "padding", "pool_size", "recurrent_activation",
        "reset_after", "return_sequences", "same", "scale", "shared_axes", "size", "strides", "sum",
        "target_shape", "threshold", "units", "use_bias", "valid", "variance",
    ]
}
