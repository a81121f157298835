import Execution
import Testing

@Suite struct ThreadCountTests {
    private func quota(_ files: [String: String]) -> Int? { ThreadCount.quota { files[$0] } }

    @Test func `there is at least one`() { #expect(ThreadCount.available >= 1) }

    @Test func `reads the unified hierarchy, rounding up`() {
        let group = ["/proc/self/cgroup": "0::/a/b\n"]
        #expect(quota(group.merging(["/sys/fs/cgroup/a/b/cpu.max": "150000 100000\n"]) { $1 }) == 2)
        #expect(quota(group.merging(["/sys/fs/cgroup/a/b/cpu.max": "max 100000\n"]) { $1 }) == nil)
        #expect(quota(group.merging(["/sys/fs/cgroup/a/cpu.max": "300000 100000\n"]) { $1 }) == 3)
        // A container sees its own group as the root.
        #expect(quota(group.merging(["/sys/fs/cgroup/cpu.max": "50000 100000\n"]) { $1 }) == 1)
    }

    @Test func `takes the least of the groups above`() {
        let files = [
            "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/cpu.max": "800000 100000",
            "/sys/fs/cgroup/a/cpu.max": "200000 100000",
        ]
        #expect(quota(files) == 2)
    }

    @Test func `reads the legacy hierarchy`() {
        let files = [
            "/proc/self/cgroup": "4:cpu,cpuacct:/x\n3:memory:/x\n",
            "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "250000\n",
            "/sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n",
        ]
        #expect(quota(files) == 3)
        #expect(
            quota(["/proc/self/cgroup": "4:cpu:/x\n", "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "-1\n"]) == nil
        )
    }

    @Test(arguments: ["", "garbage", "0::", "0::/", "::::", "0::/a\n9:cpu"])
    func `survives whatever the file holds`(_ text: String) {
        #expect(quota(["/proc/self/cgroup": text, "/sys/fs/cgroup/cpu.max": "9 0"]) == nil)
        #expect(quota(["/proc/self/cgroup": text, "/sys/fs/cgroup/cpu.max": "-5 100000"]) == nil)
    }
}
