import Graph
import Tensors

/// The best classes of each item of a batch, as `value:index` or `value:index:label`.
///
/// The first axis is the batch where there are at least two; the others together are the classes. Source: Triton's
/// classification extension.
struct Classification {
    /// [batch, k]
    let shape: [Int]
    /// In C order.
    let entries: [String]

    init(_ tensor: Tensor, classCount: Int, labels: [String]) {
        let batch = tensor.shape.rank > 1 ? tensor.shape[0] : 1
        let width = batch > 0 ? tensor.shape.count / batch : 0
        let count = min(classCount, width)
        let elements = Elements(tensor)
        var entries: [String] = []
        for item in 0..<batch {
            let base = item * width
            // The greatest first, of equals the first; NaN after everything.
            let order = (0..<width).sorted { left, right in
                let (a, b) = (elements.rank(base + left), elements.rank(base + right))
                if a.isNaN || b.isNaN { return a.isNaN == b.isNaN ? left < right : b.isNaN }
                return a == b ? left < right : a > b
            }
            for index in order.prefix(count) {
                let label = labels.indices.contains(index) ? ":" + labels[index] : ""
                entries.append("\(elements.text(base + index)):\(index)\(label)")
            }
        }
        shape = [batch, count]
        self.entries = entries
    }

    /// The size as raw BYTES elements.
    var byteCount: Int { entries.reduce(0) { $0 + 4 + $1.utf8.count } }

    /// BYTES elements: the length as four bytes, little-endian, and the text.
    func appendBytes(to body: inout [UInt8]) {
        for entry in entries {
            withUnsafeBytes(of: UInt32(entry.utf8.count).littleEndian) { body.append(contentsOf: $0) }
            body.append(contentsOf: entry.utf8)
        }
    }

    /// Elements of any type, to compare and to print.
    private struct Elements {
        private let type: ElementType
        private let elements: ExactTensor.Elements

        init(_ tensor: Tensor) {
            type = tensor.elementType
            elements = ExactTensor(tensor).elements
        }

        func rank(_ index: Int) -> Double {
            switch elements {
            case .reals(let values): values[index]
            case .integers(let values):
                type == .uint64 ? Double(UInt64(bitPattern: values[index])) : Double(values[index])
            }
        }

        func text(_ index: Int) -> String {
            switch elements {
            case .reals(let values):
                type == .float64 ? values[index].description : Float(values[index]).description
            case .integers(let values):
                type == .uint64 ? UInt64(bitPattern: values[index]).description : values[index].description
            }
        }
    }
}
