internal import LinuxSystem
internal import Measurement

/// A flag that any number of threads can wait for. Once raised it stays so.
final class StopSignal: Sendable {
    private let pipe: Pipe

    init() throws(SystemError) {
        pipe = try FileDescriptor.pipe()
    }

    /// Readable once the flag is raised.
    var descriptor: Int32 { pipe.readEnd.rawValue }

    func raise() {
        do throws(SystemError) {
            // Never read, so that it wakes every thread.
            try pipe.writeEnd.write([1])
        } catch {
            preconditionFailure("a pipe with an open reader takes a byte: \(error)")
        }
    }

    /// Waits for the flag, for a time at most.
    func isRaised(within pause: Duration) -> Bool {
        do throws(SystemError) {
            return try FileDescriptor.waitUntilReadable([descriptor], timeout: pause)[0]
        } catch {
            // Without a working poll there is no serving either.
            return true
        }
    }
}
