/// The names that the Open Inference Protocol and its binary tensor extension give to things.
package enum InferFields {
    package static let headerLength = "Inference-Header-Content-Length"
    static let binaryDataSize = "binary_data_size"
    static let binaryData = "binary_data"
    static let binaryDataOutput = "binary_data_output"
    static let classification = "classification"
    static let timeout = "timeout"
    static let priority = "priority"
}
