public import LinuxProcess
internal import LinuxSystem

/// The executables of this package, as the test run built them.
public enum BuiltProduct {
    /// The path of a product, beside the test bundle.
    public static func path(_ name: String) -> String {
        // The bundle is started by its path in SwiftPM's build directory.
        var directory = Files.directory(of: Files.absolute(CommandLine.arguments[0]))
        while directory != "/" && !Files.isExecutable("\(directory)/\(name)") {
            directory = Files.directory(of: directory)
        }
        return "\(directory)/\(name)"
    }

    /// The package's own directory.
    public static let packageDirectory = Files.directory(
        of: Files.directory(of: Files.directory(of: #filePath)))

    /// A file under `Tests/Fixtures`.
    public static func fixture(_ name: String) -> String { "\(packageDirectory)/Tests/Fixtures/\(name)" }
}

/// What a command left behind.
public struct CommandResult: Sendable {
    public var status: ExitStatus
    public var standardOutput: String
    public var standardError: String
}

/// Runs a command to its end and collects what it said.
///
/// - Parameters:
///   - arguments: The program and its arguments.
///   - environment: Variables added to ours.
///   - directory: Its working directory.
///   - timeout: After which it is killed, which the status shows.
public func runCommand(
    _ arguments: [String], environment: [String: String] = [:], in directory: String? = nil,
    timeout: Duration = .seconds(120)
) throws -> CommandResult {
    let workspace = try TemporaryDirectory()
    let output = "\(workspace.path)/out"
    let errors = "\(workspace.path)/err"
    var request = ChildRequest(arguments)
    request.environment = environment
    request.workingDirectory = directory
    request.standardInput = .null
    request.diesWithParent = false
    let outputFile = try FileDescriptor.open(output, .append)
    let errorFile = try FileDescriptor.open(errors, .append)
    request.standardOutput = .descriptor(outputFile.rawValue)
    request.standardError = .descriptor(errorFile.rawValue)
    var child = try ChildProcess.start(request)
    var outcome = try child.wait(timeout: timeout)
    if outcome == nil { outcome = try child.terminate(grace: .milliseconds(100)) }
    return CommandResult(
        status: outcome?.status ?? .signal(0),
        standardOutput: String(decoding: try Files.read(output, limit: 1 << 26), as: UTF8.self),
        standardError: String(decoding: try Files.read(errors, limit: 1 << 26), as: UTF8.self))
}
