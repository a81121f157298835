/// The date field's value, written once a second. Confined to its loop's thread.
final class DateCache {
    private let clock: any Clock
    private var second = -1
    private var cached = ""

    init(clock: any Clock) { self.clock = clock }

    var text: String {
        let now = clock.secondsSinceEpoch()
        if now != second {
            second = now
            cached = HTTPDate.text(secondsSinceEpoch: max(0, now))
        }
        return cached
    }
}
