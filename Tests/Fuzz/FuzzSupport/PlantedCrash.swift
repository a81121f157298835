import Glibc

/// A crash that each target has to find before it is trusted to find others.
package enum PlantedCrash {
    /// Whether this run is to find it: `FOLDSERVE_PLANTED_CRASH` is in the environment.
    package static let isPlanted = getenv("FOLDSERVE_PLANTED_CRASH") != nil

    /// Ends the process in a way that `run.sh` knows.
    package static func reached() -> Never { fatalError("the planted crash") }
}
