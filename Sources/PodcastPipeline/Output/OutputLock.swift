internal import LinuxSystem
internal import Measurement

/// The right to write to an output directory: one run at a time has it. It goes with the process.
struct OutputLock: ~Copyable {
    private let file: FileDescriptor

    /// Takes the right; a failure that names its holder when another process has it.
    static func take(_ output: OutputFiles) throws(PipelineFailure) -> OutputLock {
        do throws(SystemError) {
            let file = try FileDescriptor.open(output.lock, .append, followingLinks: false)
            if try file.tryLockExclusively() {
                try file.truncate()
                let since = SystemClock.now.iso8601WithoutFraction
                try file.write(Array("process \(CurrentProcess.pid), since \(since)\n".utf8))
                return OutputLock(file: file)
            }
        } catch {
            throw .output(error)
        }
        throw PipelineFailure(
            .output,
            "Another run (\(holder(output.lock))) is writing to '\(PlainText.sanitized(output.directory))'. Wait for its "
                + "end, or choose another --output-dir.")
    }

    private init(file: consuming FileDescriptor) {
        self.file = file
    }

    private static func holder(_ path: String) -> String {
        do throws(Files.ReadError) {
            let text = String(decoding: try Files.readBeginning(path, limit: 200), as: UTF8.self).trimmed
            return text.isEmpty ? "just started" : PlainText.sanitized(text)
        } catch {
            return "its process cannot be read"
        }
    }
}
