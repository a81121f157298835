import Glibc

/// The Python that runs the parts of the tests that are written in it.
package enum PythonEnvironment {
    /// Names a Python that has what Tests/requirements.txt lists, so that none is installed.
    package static let variable = "FOLDSERVE_TEST_PYTHON"

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// A Python with what Tests/requirements.txt pins: of a virtual environment below .build, made again when that changes.
    package static func python(root: String) throws -> String {
        if let given = getenv(variable) { return String(cString: given) }
        let folder = root + "/.build/test-venv"
        let python = folder + "/bin/python"
        let stamp = folder + "/requirements.txt"
        let requirements = root + "/Tests/requirements.txt"
        // Tests run at the same time: one installs, the others wait.
        let lock = open(folder + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard lock >= 0, flock(lock, LOCK_EX) == 0 else {
            throw Failure(description: "\(folder).lock: \(String(cString: strerror(errno)))")
        }
        defer { close(lock) }
        guard try Subprocess.run(["cmp", "-s", requirements, stamp]).status != 0 else { return python }
        print("installing Tests/requirements.txt to \(folder)")
        for command in [
            ["python3", "-m", "venv", "--clear", folder],
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements],
            ["cp", requirements, stamp],
        ] {
            let run = try Subprocess.run(command)
            guard run.status == 0 else {
                throw Failure(description: "\(command.joined(separator: " ")):\n\(run.output)")
            }
        }
        return python
    }

    /// What the tests written in Python cannot do without and this machine has not.
    package static let missingTool: String? = {
        let probe = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
        guard let run = try? Subprocess.run(["python3", "-c", probe]) else {
            return "python3 cannot be started"
        }
        guard run.status != 0 else { return nil }
        return "they need python3 3.11 or newer with its venv module: \(run.output)"
    }()
}
