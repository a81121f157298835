import Glibc

/// The discrete Fourier transform of one length, made once for many signals.
///
///     X[k] = Σ x[n]·e^(∓2πikn/N), the inverse divided by N
///
/// Lengths that are powers of two go by halves (Cooley & Tukey 1965), others by way of a convolution of such a length
/// (Bluestein 1970), so that no length takes quadratic time. A complex number is a pair (real, imaginary).
struct FourierTransform {
    typealias Complex = SIMD2<Double>

    /// The longest transform: its work space stays below 2 GiB.
    static let maximumLength = 1 << 24

    private let length: Int
    private let isInverse: Bool
    /// e^(∓2πik/size) for the first half of the power of two `size`.
    private let roots: [Complex]
    private let size: Int
    /// e^(∓πin²/length), and the transform of its conjugate over `size`; empty when `length` is a power of two.
    private let chirp: [Complex]
    private let chirpSpectrum: [Complex]

    /// `length` is from 1 to `maximumLength`.
    init(length: Int, isInverse: Bool) {
        precondition((1...Self.maximumLength).contains(length), "a transform of length \(length)")
        self.length = length
        self.isInverse = isInverse
        let sign = isInverse ? 1.0 : -1.0
        guard length & (length - 1) != 0 else {
            size = length
            roots = Self.roots(length, sign: sign)
            (chirp, chirpSpectrum) = ([], [])
            return
        }
        var size = 1
        while size < 2 * length - 1 { size *= 2 }
        self.size = size
        roots = Self.roots(size, sign: -1)
        // The angle's square is reduced first: the sine of a large angle would be inexact.
        chirp = (0..<length).map { index in
            Self.unit(sign * .pi * Double(index * index % (2 * length)) / Double(length))
        }
        var mirrored = [Complex](repeating: .zero, count: size)
        for index in 0..<length {
            let conjugate = Complex(chirp[index].x, -chirp[index].y)
            mirrored[index] = conjugate
            if index > 0 { mirrored[size - index] = conjugate }
        }
        Self.transform(&mirrored, roots)
        chirpSpectrum = mirrored
    }

    /// The transform of a signal of `length` elements.
    func transformed(_ signal: [Complex]) -> [Complex] {
        precondition(signal.count == length, "a signal of \(signal.count) elements")
        var result = signal
        if chirp.isEmpty {
            Self.transform(&result, roots)
        } else {
            result = convolved(signal)
        }
        return isInverse ? result.map { $0 / Double(length) } : result
    }

    private func convolved(_ signal: [Complex]) -> [Complex] {
        var padded = [Complex](repeating: .zero, count: size)
        for index in 0..<length { padded[index] = Self.product(signal[index], chirp[index]) }
        Self.transform(&padded, roots)
        // The inverse transform is the conjugate of the conjugate's transform.
        for index in 0..<size {
            let product = Self.product(padded[index], chirpSpectrum[index])
            padded[index] = Complex(product.x, -product.y)
        }
        Self.transform(&padded, roots)
        return (0..<length).map { index in
            Self.product(Complex(padded[index].x, -padded[index].y) / Double(size), chirp[index])
        }
    }

    /// In place, of a power of two.
    private static func transform(_ values: inout [Complex], _ roots: [Complex]) {
        let count = values.count
        var reversed = 0
        for index in 1..<max(1, count) {
            var bit = count >> 1
            while reversed & bit != 0 {
                reversed ^= bit
                bit >>= 1
            }
            reversed |= bit
            if index < reversed { values.swapAt(index, reversed) }
        }
        var half = 1
        while half < count {
            let step = count / (2 * half)
            for first in stride(from: 0, to: count, by: 2 * half) {
                for index in 0..<half {
                    let (even, odd) = (first + index, first + index + half)
                    let turned = product(values[odd], roots[index * step])
                    (values[even], values[odd]) = (values[even] + turned, values[even] - turned)
                }
            }
            half *= 2
        }
    }

    private static func roots(_ count: Int, sign: Double) -> [Complex] {
        (0..<count / 2).map { unit(sign * 2 * .pi * Double($0) / Double(count)) }
    }

    private static func unit(_ angle: Double) -> Complex { Complex(cos(angle), sin(angle)) }

    private static func product(_ a: Complex, _ b: Complex) -> Complex {
        Complex(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x)
    }
}
