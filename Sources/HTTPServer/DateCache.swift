/// The date field's value: the clock is read once a turn of the loop, the text written once a second. Confined to its loop's
/// thread.
final class DateCache {
    private let clock: any Clock
    private var second = -1
    private(set) var text = ""

    init(clock: any Clock) {
        self.clock = clock
        update()
    }

    func update() {
        let now = clock.secondsSinceEpoch()
        guard now != second else { return }
        second = now
        text = HTTPDate.text(secondsSinceEpoch: max(0, now))
    }
}
