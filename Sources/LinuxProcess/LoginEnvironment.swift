internal import LinuxSystem
public import Measurement

/// The environment that our session began with: that of a login, a terminal's shell, or a job of a build server.
public enum LoginEnvironment {
    /// The most bytes of an environment.
    private static let limit = 4 << 20

    /// The variables with which the leader of our session was started; unavailable where that has ended, is another user's, or
    /// is this process.
    public static func read() -> Reading<[String: String]> {
        let session = CurrentProcess.sessionID
        // A leader outside of our namespace has no number here.
        guard session > 0 else { return .unavailable(reason: "this process has no session") }
        guard session != CurrentProcess.pid else {
            return .unavailable(reason: "this process leads its session")
        }
        do throws(Files.ReadError) {
            let bytes = try Files.read("/proc/\(session)/environ", limit: limit)
            let entries = bytes.split(separator: 0).map { NativeText.text($0) }
            return .value(CurrentProcess.variables(of: entries))
        } catch {
            return .unavailable(reason: "the environment of the session's leader cannot be read: \(error)")
        }
    }
}
