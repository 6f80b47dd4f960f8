internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Turns any audio or video into what the decoder takes: 16 kHz, mono, signed 16-bit little-endian samples.
///
/// The work is done by an ffmpeg child. It reads the downloaded file only: playlist formats, which name other files
/// and addresses, are not among the formats it may recognise. It writes into a file that was opened here, and stops by
/// itself at the greatest length.
enum AudioPreprocessing {
    /// Samples per second of the output.
    static let sampleRate = 16_000
    /// Twelve hours.
    static let maximumBytes = 12 * 3600 * sampleRate * 2
    /// How long ffmpeg may write nothing before it is given up.
    static let stallTimeout: Duration = .seconds(60)

    private static let formats =
        "mp3,ogg,wav,w64,flac,aac,aiff,caf,amr,asf,avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg"

    /// Makes sure that ffmpeg is there, before any work depends on it.
    static func checkTool() throws(PipelineFailure) {
        guard Programs.installed("ffmpeg") != nil else {
            throw PipelineFailure(
                .run, "Cannot run 'ffmpeg': it is not in PATH. Install the Debian package ffmpeg.")
        }
    }

    /// Converts a file into a new one. Returns the length of the audio.
    static func convert(_ input: String, to output: String, preset: AudioPreset) throws(StageFailure)
        -> Duration
    {
        var conversion = try Conversion(of: input, to: output, preset: preset)
        try conversion.finish()
        let size: Int64
        do throws(SystemError) {
            size = try Files.size(output)
        } catch {
            throw .run(.output(error))
        }
        guard size > 0 else { throw .episode("ffmpeg found no audio in it.") }
        if size >= maximumBytes { throw .episode("It has more than 12 hours of audio.") }
        return .seconds(Double(size) / Double(2 * sampleRate))
    }

    /// One running ffmpeg. Killed when dropped before its end.
    private struct Conversion: ~Copyable {
        private var child: ChildProcess
        private let input: String
        private let output: String
        private let errors: FileDescriptor
        private var errorText: [UInt8] = []

        init(of input: String, to output: String, preset: AudioPreset) throws(StageFailure) {
            self.input = input
            self.output = output
            var arguments = [
                Programs.installed("ffmpeg") ?? "ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error",
                "-protocol_whitelist", "file", "-format_whitelist", formats, "-i", "file:\(input)", "-map",
                "0:a:0",
            ]
            if let filters = preset.filters { arguments += ["-af", filters] }
            arguments += [
                "-ac", "1", "-ar", String(sampleRate), "-fs", String(maximumBytes), "-f", "s16le", "pipe:1",
            ]
            var request = ChildRequest(arguments)
            request.standardInput = .null
            request.diesWithParent = true
            let errorPipe: Pipe
            let file: FileDescriptor
            do throws(SystemError) {
                file = try FileDescriptor.open(output, .createNew, followingLinks: false)
            } catch {
                throw .run(.output(error))
            }
            do throws(SystemError) {
                errorPipe = try FileDescriptor.pipe()
            } catch {
                throw .run(PipelineFailure(.run, "\(error)"))
            }
            request.standardOutput = .descriptor(file.rawValue)
            request.standardError = .descriptor(errorPipe.writeEnd.rawValue)
            do throws(SpawnError) {
                child = try ChildProcess.start(request)
            } catch {
                throw .run(PipelineFailure(.run, "\(error)"))
            }
            errors = errorPipe.takeReadEnd()
        }

        /// Waits for ffmpeg's end, and throws unless it has converted all.
        mutating func finish() throws(StageFailure) {
            var outcome: ChildProcess.Outcome?
            do throws(SystemError) {
                if try readErrors() { outcome = try child.wait(timeout: stallTimeout) }
            } catch {
                throw .run(PipelineFailure(.run, "\(error)"))
            }
            guard let outcome else { throw .episode("ffmpeg did nothing for \(stallTimeout.readable).") }
            if outcome.status != .code(0) {
                if String(decoding: errorText, as: UTF8.self).contains("No space left on device") {
                    throw .run(.output(.noSpace(action: "write '\(output)'")))
                }
                throw .episode("ffmpeg \(outcome.status): \(complaint).")
            }
        }

        /// Reads what ffmpeg complains of until it closes the pipe at its end. False when it writes nothing for too long.
        private mutating func readErrors() throws(SystemError) -> Bool {
            var written: Int64 = -1
            while true {
                let ready = try FileDescriptor.waitUntilReadable([errors.rawValue], timeout: stallTimeout)
                guard ready[0] else {
                    let size = try Files.size(output)
                    if size == written { return false }
                    written = size
                    continue
                }
                let bytes = try errors.read(upTo: 4096)
                if bytes.isEmpty { return true }
                errorText = Array((errorText + bytes).prefix(4096))
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
