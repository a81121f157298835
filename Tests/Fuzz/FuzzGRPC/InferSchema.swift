import FuzzSupport

/// The messages of the inference service that hold others; requests of the health service have nothing inside.
enum InferSchema: WireSchema {
    case request, input, output, entry, parameter, contents

    func inner(_ field: UInt64) -> InferSchema? {
        switch (self, field) {
        case (.request, 4), (.input, 4), (.output, 2): .entry
        case (.request, 5): .input
        case (.request, 6): .output
        case (.input, 5): .contents
        case (.entry, 2): .parameter
        default: nil
        }
    }

    func isName(_ field: UInt64) -> Bool {
        switch (self, field) {
        case (.request, 1), (.request, 2), (.input, 1), (.input, 2), (.output, 1), (.entry, 1): true
        default: false
        }
    }

    func vocabulary(_ field: UInt64) -> [String] {
        switch (self, field) {
        case (.request, 1): ["m", "wide", "pair", "half", ""]
        case (.request, 2): ["1", "2", ""]
        case (.input, 2): ["BOOL", "FP16", "FP32", "FP64", "INT64", "BYTES"]
        case (.input, 1), (.output, 1): ["a", "b", "c", "d", "x", "y"]
        case (.entry, 1): ["classification", "timeout", "priority", "binary_data_size"]
        default: []
        }
    }
}
