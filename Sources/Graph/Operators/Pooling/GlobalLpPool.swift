import Glibc

/// Each channel's p-norm. Shapes: see `GlobalPool`. Attributes: `p` (2). Source: ONNX GlobalLpPool-2, 22.
package struct GlobalLpPool: GlobalPool {
    package static let type = "GlobalLpPool"

    package let p: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        p = try attributes.integer("p", default: 2, in: 1...AttributeReader.maximumExtent)
    }

    package func pooled(_ channel: ArraySlice<Double>) -> Double {
        pow(channel.reduce(0) { $0 + pow(abs($1), Double(p)) }, 1 / Double(p))
    }
}
