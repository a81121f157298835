/// A model's folder as it is on the disk at one moment.
struct ScannedModel: Sendable {
    let name: String
    let folder: String
    let description: Result<ModelDescription, RepositoryError>
    /// Those that the model's policy chooses, ascending.
    let versions: [(number: Int, files: VersionFiles)]
    /// Every version that is there, chosen or not.
    let presentVersions: Set<Int>
    /// What is wrong with the folder as a whole.
    let problem: String?

    /// Whether nothing changed since an earlier look.
    func hasSameFiles(as other: ScannedModel, version: Int) -> Bool {
        files(of: version) == other.files(of: version)
    }

    func files(of version: Int) -> VersionFiles? { versions.first { $0.number == version }?.files }

    /// Looks at the folder `<repository>/<name>`; `root` is the repository with its links resolved.
    init(name: String, repository: String, root: String, fileNames: [String]) {
        let folder = repository + "/" + name
        let descriptionPath = folder + "/model.json"
        self.name = name
        self.folder = folder
        var numbers: [Int] = []
        var problem: RepositoryError?
        do throws(RepositoryError) {
            try FileSystem.checkLink(folder, root: root)
            for entry in try FileSystem.entries(of: folder) {
                let path = folder + "/" + entry
                guard FileSystem.isDirectory(path) else { continue }
                if let number = ModelRepository.versionNumber(entry) {
                    numbers.append(number)
                } else if fileNames.contains(where: { FileSystem.exists(path + "/" + $0) }) {
                    problem = .versionName(entry)
                }
            }
        } catch {
            numbers = []
            problem = error
        }
        if numbers.isEmpty, problem == nil {
            problem = .noVersion(path: folder, expected: fileNames.first ?? "")
        }
        if numbers.count > ModelRepository.maximumModelCount {
            numbers = []
            problem = .modelCount(maximum: ModelRepository.maximumModelCount)
        }
        presentVersions = Set(numbers)
        do throws(RepositoryError) {
            if FileSystem.exists(descriptionPath) {
                try FileSystem.checkLink(descriptionPath, root: root)
            }
            let description = try ModelDescription(path: descriptionPath)
            numbers = description.versionPolicy.chosen(of: numbers.sorted())
            if numbers.isEmpty, problem == nil { problem = .noChosenVersion(path: folder) }
            self.description = .success(description)
        } catch {
            numbers.sort()
            self.description = .failure(error)
        }
        versions = numbers.map { number in
            (
                number,
                VersionFiles(folder: "\(folder)/\(number)", descriptionPath: descriptionPath, root: root)
            )
        }
        self.problem = problem?.description
    }
}
