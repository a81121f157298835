import Testing

import Certification

@Suite struct BallTests {
    /// The exact result of two Float64 numbers as a sum of two.
    private func exactProduct(_ left: Double, _ right: Double) -> (high: Double, low: Double) {
        let high = left * right
        return (high, (-high).addingProduct(left, right))
    }

    @Test func `a product holds the exact product of its centers`() {
        var state = UInt64(7)
        for _ in 0..<1000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let left = Double(state >> 11) * 0x1p-53 - 0.5
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let right = Double(state >> 11) * 0x1p-53 + 1e-3
            let product = Ball(left) * Ball(right)
            let exact = exactProduct(left, right)
            #expect(product.center == exact.high && product.radius >= abs(exact.low))
            let inverse = Ball(right).reciprocal!
            // 1 − right·inverse, exactly but for one rounding.
            #expect(abs((1.0).addingProduct(-right, inverse.center)) <= inverse.radius * right * (1 + 1e-9))
            let root = Ball(right).squareRoot!
            #expect(
                abs((-right).addingProduct(root.center, root.center)) <= 2 * root.radius * root.center
                    * (1 + 1e-9))
        }
    }

    @Test func `what may be 0 has no reciprocal and no root`() {
        #expect(Ball(rounded: 0.1, error: 0.2).reciprocal == nil)
        #expect(Ball(0).squareRoot == nil && Ball(-1).squareRoot == nil)
        #expect(Ball(rounded: -0.5, error: 0.1).reciprocal != nil)
    }
}
