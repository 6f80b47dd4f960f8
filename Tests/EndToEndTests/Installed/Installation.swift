import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// The built programs installed by the script of `make install`, in a directory of a test's own.
struct Installation {
    let directory: TemporaryDirectory
    /// The PREFIX.
    var prefix: String { "\(directory.path)/usr" }
    /// A PATH that begins with what is installed.
    var path: String { "\(prefix)/bin:/usr/local/bin:/usr/bin:/bin" }

    init() throws {
        directory = try TemporaryDirectory()
        let result = try run("install")
        try #require(result.status == .code(0), "\(result.standardError)")
    }

    /// Installs or uninstalls.
    func run(_ action: String, _ variables: [String: String] = [:]) throws -> CommandResult {
        var environment = [
            "PREFIX": prefix, "FREEZE_PROFILE_BIN": Files.directory(of: BuiltProduct.path("freeze-profile")),
        ]
        environment.merge(variables) { $1 }
        return try runCommand(
            ["\(BuiltProduct.packageDirectory)/scripts/install-files", action], environment: environment,
            in: "/")
    }

    /// The files below the directory, without its own path.
    func files() throws -> [String] {
        let result = try runCommand(["find", directory.path, "-type", "f"])
        return result.standardOutput.split(separator: "\n")
            .map { String($0.dropFirst(directory.path.count + 1)) }.sorted()
    }
}
