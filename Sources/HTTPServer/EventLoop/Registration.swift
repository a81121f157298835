/// A descriptor and the number of its registration, in the 64 bits that epoll carries for us.
///
/// The system reuses descriptors at once; an event or an answer meant for the connection before has another number.
struct Registration: Hashable, Sendable {
    let descriptor: Int32
    let number: UInt32

    init(descriptor: Int32, number: UInt32) {
        self.descriptor = descriptor
        self.number = number
    }

    init(packed: UInt64) {
        descriptor = Int32(truncatingIfNeeded: packed)
        number = UInt32(truncatingIfNeeded: packed >> 32)
    }

    var packed: UInt64 { UInt64(number) << 32 | UInt64(UInt32(bitPattern: descriptor)) }
}
