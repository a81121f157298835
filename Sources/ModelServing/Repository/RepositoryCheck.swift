import Glibc

/// What is wrong with the folders and descriptions of a repository, found without loading a model.
package struct RepositoryCheck {
    /// A version that can be tried.
    package struct Candidate {
        package let name: String
        package let version: String
        fileprivate let folder: String
        fileprivate let description: ModelDescription
        fileprivate let files: VersionFiles

        /// Loads the version and lets it go. Throws what keeps it from being served.
        package func load(with loader: ModelLoader) throws(RepositoryError) {
            _ = try loader.load(
                name: name, version: version, folder: folder, description: description, files: files)
        }
    }

    /// Models, with the reason.
    package private(set) var problems: [(model: String, reason: String)] = []
    package private(set) var candidates: [Candidate] = []
    package private(set) var modelCount = 0

    /// Throws when the folder cannot be read.
    package init(folder: String, fileNames: [String]) throws(RepositoryError) {
        guard let root = FileSystem.realPath(folder) else {
            throw .folder(path: folder, reason: String(cString: strerror(errno)))
        }
        for name in try FileSystem.entries(of: folder)
        where name != "__pycache__" && FileSystem.isDirectory(folder + "/" + name) {
            modelCount += 1
            check(
                ScannedModel(name: name, repository: folder, root: root, fileNames: fileNames), fileNames)
        }
    }

    private mutating func check(_ model: ScannedModel, _ fileNames: [String]) {
        if let problem = model.problem { problems.append((model.name, problem)) }
        let description: ModelDescription
        switch model.description {
        case .success(let found): description = found
        case .failure(let error):
            problems.append((model.name, error.description))
            description = ModelDescription()
        }
        for (number, files) in model.versions {
            let folder = "\(model.folder)/\(number)"
            if let problem = files.problem {
                problems.append((model.name, "version \(number): \(problem)"))
            } else if !fileNames.contains(where: { FileSystem.exists(folder + "/" + $0) }) {
                problems.append(
                    (model.name, "version \(number) has no \(fileNames.joined(separator: " nor "))"))
            } else {
                candidates.append(
                    Candidate(
                        name: model.name, version: String(number), folder: folder,
                        description: description, files: files))
            }
        }
    }
}
