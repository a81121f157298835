/// When models are loaded and looked at again.
package struct RepositoryConfiguration: Sendable {
    package enum Mode: String, Sendable, CaseIterable {
        /// What is there at the start, once.
        case `static`
        /// The folder is looked at again and again, and followed.
        case poll
        /// What the admin listener is asked for.
        case explicit
    }

    package var mode = Mode.static
    /// How long from one look at the folder to the next.
    package var pollSeconds = 5.0
    /// In explicit mode, the models that are loaded at the start; `*` among them stands for all.
    package var modelsAtStart: [String] = []

    package init() {}
}
