/// Every bound that the endpoints put on what clients send; the server bounds bytes and time before.
package struct APILimits: Sendable {
    /// Objects and lists inside each other, tensor data apart.
    package var maximumDepth = 32
    /// Axes of a tensor.
    package var maximumRank = 16
    /// The product of the extents above 0 of a tensor without elements: it costs no bytes to send, and loops to run.
    package var maximumEmptyExtentProduct = 1 << 16
    /// Names, identifiers and keys, in bytes of UTF-8.
    package var maximumStringByteCount = 4096
    /// Characters of one number: the longest exact decimal of a float64 has 1077.
    package var maximumNumberByteCount = 1100
    /// Inputs, and requested outputs, of a request.
    package var maximumTensorCount = 1024
    /// Classes that a classification may ask for.
    package var maximumClassCount = 16_384
    /// Bodies up to this size are read on the loop; longer ones on a codec worker.
    package var inlineBodyByteCount = 64 << 10

    /// A body, or a message, once expanded; past it 413.
    package var maximumExpandedByteCount = 64 << 20
    /// Expanded bodies of all requests that have no answer yet; past it 503.
    package var maximumExpandedByteCountOfAll = 512 << 20

    package init() {}
}
