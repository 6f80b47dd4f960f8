internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Turns any audio or video into what the decoder takes: 16 kHz, mono, signed 16-bit little-endian samples.
///
/// The work is done by an ffmpeg child. It reads the downloaded file only: playlist formats, which name other files
/// and addresses, are not among the formats it may recognise. Its output comes through a pipe, so that its size and
/// the disk are watched here.
enum AudioPreprocessing {
    /// Samples per second of the output.
    static let sampleRate = 16_000
    /// Twelve hours.
    static let maximumBytes = 12 * 3600 * sampleRate * 2
    /// How long ffmpeg may be silent before it is given up.
    static let stallTimeout: Duration = .seconds(60)

    private static let formats =
        "mp3,ogg,wav,w64,flac,aac,aiff,caf,amr,asf,avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg"

    /// Makes sure that ffmpeg is there, before any work depends on it.
    static func checkTool() throws(PipelineFailure) {
        guard Programs.path(of: "ffmpeg") != nil else {
            throw PipelineFailure(
                .run, "Cannot run 'ffmpeg': it is not in PATH. Install the Debian package ffmpeg.")
        }
    }

    /// Converts a file into a new one. Returns the length of the audio.
    static func convert(_ input: String, to output: String) throws(StageFailure) -> Duration {
        let file: FileDescriptor
        do throws(SystemError) {
            file = try FileDescriptor.open(output, .createNew, followingLinks: false)
        } catch {
            throw .run(.output(error))
        }
        var conversion = try Conversion(of: input)
        let size: Int
        do throws(SystemError) {
            size = try conversion.copyOutput(to: file)
        } catch {
            // The pipes are ours: what fails here is the file.
            throw .run(.output(SystemError(action: "write '\(output)'", code: error.code)))
        }
        try conversion.finish()
        guard size > 0 else { throw .episode("ffmpeg found no audio in it.") }
        return .seconds(Double(size) / Double(2 * sampleRate))
    }

    /// One running ffmpeg. Killed when dropped before its end.
    private struct Conversion: ~Copyable {
        private var child: ChildProcess
        private let input: String
        private let samples: FileDescriptor
        private let errors: FileDescriptor
        private var errorText: [UInt8] = []
        private var isStalled = false
        private var isTooLong = false

        init(of input: String) throws(StageFailure) {
            self.input = input
            var request = ChildRequest([
                "ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error",
                "-protocol_whitelist", "file", "-format_whitelist", formats, "-i", "file:\(input)",
                "-map", "0:a:0", "-ac", "1", "-ar", String(sampleRate), "-f", "s16le", "pipe:1",
            ])
            request.standardInput = .null
            request.diesWithParent = true
            let samplePipe = try Self.pipe()
            let errorPipe = try Self.pipe()
            request.standardOutput = .descriptor(samplePipe.writeEnd.rawValue)
            request.standardError = .descriptor(errorPipe.writeEnd.rawValue)
            do throws(SpawnError) {
                child = try ChildProcess.start(request)
            } catch {
                throw .run(PipelineFailure(.run, "\(error)"))
            }
            samples = samplePipe.takeReadEnd()
            errors = errorPipe.takeReadEnd()
        }

        private static func pipe() throws(StageFailure) -> Pipe {
            do throws(SystemError) {
                return try FileDescriptor.pipe()
            } catch {
                throw .run(PipelineFailure(.run, "\(error)"))
            }
        }

        /// Copies what ffmpeg writes until it closes its output, stalls or writes too much. Returns the bytes.
        mutating func copyOutput(to file: borrowing FileDescriptor) throws(SystemError) -> Int {
            var size = 0
            var isOpen = (samples: true, errors: true)
            while isOpen.samples || isOpen.errors {
                let watched =
                    (isOpen.samples ? [samples.rawValue] : []) + (isOpen.errors ? [errors.rawValue] : [])
                let ready = try FileDescriptor.waitUntilReadable(watched, timeout: stallTimeout)
                guard ready.contains(true) else {
                    isStalled = true
                    return size
                }
                if isOpen.samples, ready[0] {
                    let bytes = try samples.read(upTo: 1 << 18)
                    isOpen.samples = !bytes.isEmpty
                    try file.write(bytes)
                    size += bytes.count
                }
                if isOpen.errors, ready[ready.count - 1], watched.last == errors.rawValue {
                    let bytes = try errors.read(upTo: 4096)
                    isOpen.errors = !bytes.isEmpty
                    errorText = Array((errorText + bytes).prefix(4096))
                }
                guard size <= maximumBytes else {
                    isTooLong = true
                    return size
                }
            }
            return size
        }

        /// Waits for ffmpeg's end, and throws unless it has converted all.
        mutating func finish() throws(StageFailure) {
            if isTooLong { throw .episode("It has more than 12 hours of audio.") }
            if isStalled { throw .episode("ffmpeg did nothing for \(stallTimeout.readable).") }
            let outcome: ChildProcess.Outcome?
            do throws(SystemError) {
                // Both pipes are closed, so it is on its way out.
                outcome = try child.wait(timeout: stallTimeout)
            } catch {
                throw .run(PipelineFailure(.run, "\(error)"))
            }
            guard let outcome else { throw .episode("ffmpeg did not end.") }
            if outcome.status != .code(0) {
                throw .episode("ffmpeg \(outcome.status): \(complaint).")
            }
        }

        /// The first thing ffmpeg complained of; later lines tend to be consequences. Without the work file's name, which
        /// means nothing to a person.
        private var complaint: String {
            let text = String(decoding: errorText, as: UTF8.self)
            if text.contains("matches no streams") { return "it has no audio" }
            if text.contains("Format not on whitelist") {
                return "this is not one of the media formats that are read"
            }
            guard let line = text.split(whereSeparator: \.isNewline).first else { return "no reason given" }
            let file = "file:\(input): "
            let words = String(line.hasPrefix(file) ? line.dropFirst(file.count) : line)
            return PlainText.sanitized(words.trimmingSuffix { ".!".contains($0) }, maximumCharacters: 300)
        }
    }
}
