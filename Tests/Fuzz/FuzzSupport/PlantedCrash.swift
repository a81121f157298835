import Glibc

/// A crash that each target has to find before it is trusted to find others.
package enum PlantedCrash {
    /// Whether this run is to find it: `FOLDSERVE_PLANTED_CRASH` is in the environment.
    package static let isPlanted = getenv("FOLDSERVE_PLANTED_CRASH") != nil

    /// Ends the process in a way that `run.sh` knows.
    package static func reached() -> Never { fatalError("the planted crash") }

    /// What a target returns for an input that is not read. While it looks for the planted crash that is no step nearer, and
    /// stays out of the corpus: -1 says so to libFuzzer.
    package static var refused: CInt { isPlanted ? -1 : 0 }
}
