/// The one matrix product under Conv, ConvTranspose, MatMul and Gemm.
///
/// c[rows, columns] = a[rows, inner] · b[inner, columns], every sum in the order of `inner`. b comes in panels of some
/// columns, so that a convolution never holds all of its patches and a transposed matrix is never copied whole.
///
/// The pointers are valid for the extents that stand beside them: each function's precondition checks the buffers.
struct MatrixProduct {
    let rows: Int
    let inner: Int
    let columns: Int

    /// About what a core's second-level cache holds, in elements.
    private static let panelElementCount = 1 << 15
    private static let vectorWidth = 4

    /// How many columns a panel has, a multiple of the vector width.
    var panelWidth: Int {
        let fitting = Self.panelElementCount / max(1, inner) / Self.vectorWidth * Self.vectorWidth
        let all = (columns + Self.vectorWidth - 1) / Self.vectorWidth * Self.vectorWidth
        return max(Self.vectorWidth, min(fitting, all))
    }

    /// b given by its strides.
    func multiply(
        _ a: UnsafeBufferPointer<Double>, _ b: UnsafeBufferPointer<Double>, rowStride: Int, columnStride: Int,
        into c: UnsafeMutableBufferPointer<Double>
    ) {
        guard rows > 0, columns > 0 else { return }
        if inner > 0 {
            precondition(b.count > (inner - 1) * rowStride + (columns - 1) * columnStride, "b is too short")
        }
        let width = panelWidth
        var panel = [Double](repeating: 0, count: inner * width)
        for first in stride(from: 0, to: columns, by: width) {
            let count = min(width, columns - first)
            panel.withUnsafeMutableBufferPointer { panel in
                for row in 0..<inner {
                    let source = row * rowStride + first * columnStride
                    for column in 0..<count {
                        panel[row * width + column] = b[source + column * columnStride]
                    }
                }
            }
            panel.withUnsafeBufferPointer { panel in
                multiply(a, panel: panel, width: width, count: count, into: c, firstColumn: first)
            }
        }
    }

    /// Computes columns `firstColumn ..< firstColumn + count` of c from a panel [inner, width], which may hold anything
    /// past `count`.
    func multiply(
        _ a: UnsafeBufferPointer<Double>, panel: UnsafeBufferPointer<Double>, width: Int, count: Int,
        into c: UnsafeMutableBufferPointer<Double>, firstColumn: Int
    ) {
        precondition(
            a.count >= rows * inner && panel.count >= inner * width && c.count >= rows * columns
                && count <= width && firstColumn + count <= columns && width % Self.vectorWidth == 0,
            "a matrix product of \(rows)×\(inner)×\(columns)")
        guard inner > 0 else {
            for row in 0..<rows {
                for column in firstColumn..<firstColumn + count { c[row * columns + column] = 0 }
            }
            return
        }
        var row = 0
        while row + 4 <= rows {
            fourRows(row, a, panel, width, count, c, firstColumn)
            row += 4
        }
        while row < rows {
            oneRow(row, a, panel, width, count, c, firstColumn)
            row += 1
        }
    }

    private func fourRows(
        _ row: Int, _ a: UnsafeBufferPointer<Double>, _ panel: UnsafeBufferPointer<Double>, _ width: Int,
        _ count: Int, _ c: UnsafeMutableBufferPointer<Double>, _ firstColumn: Int
    ) {
        let b = UnsafeRawPointer(panel.baseAddress!)
        let a0 = a.baseAddress! + row * inner
        let (a1, a2, a3) = (a0 + inner, a0 + 2 * inner, a0 + 3 * inner)
        for column in stride(from: 0, to: count, by: Self.vectorWidth) {
            var (sum0, sum1, sum2, sum3) = (
                SIMD4<Double>.zero, SIMD4<Double>.zero, SIMD4<Double>.zero, SIMD4<Double>.zero
            )
            var source = b + column * 8
            for k in 0..<inner {
                let vector = source.loadUnaligned(as: SIMD4<Double>.self)
                sum0 += vector * a0[k]
                sum1 += vector * a1[k]
                sum2 += vector * a2[k]
                sum3 += vector * a3[k]
                source += width * 8
            }
            store(sum0, row, column, count, c, firstColumn)
            store(sum1, row + 1, column, count, c, firstColumn)
            store(sum2, row + 2, column, count, c, firstColumn)
            store(sum3, row + 3, column, count, c, firstColumn)
        }
    }

    private func oneRow(
        _ row: Int, _ a: UnsafeBufferPointer<Double>, _ panel: UnsafeBufferPointer<Double>, _ width: Int,
        _ count: Int, _ c: UnsafeMutableBufferPointer<Double>, _ firstColumn: Int
    ) {
        let b = UnsafeRawPointer(panel.baseAddress!)
        let a0 = a.baseAddress! + row * inner
        for column in stride(from: 0, to: count, by: Self.vectorWidth) {
            var sum = SIMD4<Double>.zero
            var source = b + column * 8
            for k in 0..<inner {
                sum += source.loadUnaligned(as: SIMD4<Double>.self) * a0[k]
                source += width * 8
            }
            store(sum, row, column, count, c, firstColumn)
        }
    }

    @inline(__always)
    private func store(
        _ sum: SIMD4<Double>, _ row: Int, _ column: Int, _ count: Int,
        _ c: UnsafeMutableBufferPointer<Double>, _ firstColumn: Int
    ) {
        let target = row * columns + firstColumn + column
        for lane in 0..<min(Self.vectorWidth, count - column) { c[target + lane] = sum[lane] }
    }
}

extension MatrixProduct {
    /// `multiply(_:panel:…)` of one of the matrices that lie end to end in `a`, into one of those in `c`.
    func multiply(
        group: Int, of a: [Double], panel: [Double], width: Int, count: Int, into c: inout [Double],
        at index: Int, firstColumn: Int
    ) {
        let (factorCount, resultCount) = (rows * inner, rows * columns)
        a.withUnsafeBufferPointer { a in
            panel.withUnsafeBufferPointer { panel in
                c.withUnsafeMutableBufferPointer { c in
                    multiply(
                        UnsafeBufferPointer(rebasing: a[group * factorCount..<(group + 1) * factorCount]),
                        panel: panel, width: width, count: count,
                        into: UnsafeMutableBufferPointer(
                            rebasing: c[index * resultCount..<(index + 1) * resultCount]),
                        firstColumn: firstColumn)
                }
            }
        }
    }

    /// The product of integers, wrapping; b is given by its strides.
    func multiply(_ a: [Int64], _ b: [Int64], rowStride: Int, columnStride: Int) -> [Int64] {
        guard rows > 0, columns > 0 else { return [] }
        var result: [Int64] = []
        result.reserveCapacity(rows * columns)
        for row in 0..<rows {
            for column in 0..<columns {
                var sum: Int64 = 0
                for k in 0..<inner {
                    sum &+= a[row * inner + k] &* b[k * rowStride + column * columnStride]
                }
                result.append(sum)
            }
        }
        return result
    }
}
