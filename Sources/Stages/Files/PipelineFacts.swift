internal import JSONDocument
public import LinuxSystem
internal import Measurement

/// What a pipeline says of itself and of its run: so that a profile knows what was measured.
///
/// The file `.pipeline_facts.json` beside the status file, written at any time before the run ends. All is optional.
public struct PipelineFacts: Hashable, Sendable {
    /// The pipeline's own version.
    public var version: String?
    /// How it was built: `release`, `debug`, or what its makers call it.
    public var buildMode: String?
    /// A digest of what it worked on.
    public var inputDigest: String?
    /// A digest of what it produced: the same for every run that did the same.
    public var outputDigest: String?

    /// Facts; those left out are not known.
    public init(
        version: String? = nil, buildMode: String? = nil, inputDigest: String? = nil,
        outputDigest: String? = nil
    ) {
        self.version = version
        self.buildMode = buildMode
        self.inputDigest = inputDigest
        self.outputDigest = outputDigest
    }

    /// The longest fact, in characters; a longer one is cut.
    public static let maximumCharacters = 128
    /// The most bytes of the file that are read.
    static let maximumBytes = 1 << 16

    /// What a pipeline has reported; no facts where there is no file, or none that can be read.
    public static func read(_ location: StatusLocation) -> PipelineFacts {
        do throws(Files.ReadError) {
            return parse(try Files.read(location.facts, .writtenByPipeline, limit: maximumBytes))
        } catch {
            // A pipeline that writes nonsense here is measured all the same, as one that reports nothing.
            return PipelineFacts()
        }
    }

    /// The facts in the bytes of a file; what is no string counts as absent.
    public static func parse(_ bytes: [UInt8]) -> PipelineFacts {
        let fields = JSONValue.parse(bytes)?.object ?? [:]
        func text(_ key: String) -> String? {
            guard let text = fields[key]?.string, !text.isEmpty else { return nil }
            return PlainText.sanitized(text, maximumCharacters: maximumCharacters)
        }
        return PipelineFacts(
            version: text("version"), buildMode: text("build_mode"), inputDigest: text("input_digest"),
            outputDigest: text("output_digest"))
    }

    /// Writes the file, whole or not at all.
    public func write(_ location: StatusLocation) throws(SystemError) {
        let fields: [(String, String?)] = [
            ("version", version), ("build_mode", buildMode), ("input_digest", inputDigest),
            ("output_digest", outputDigest),
        ]
        let reported = fields.compactMap { key, value in value.map { "\(key.asJSON): \($0.asJSON)" } }
        try Files.replace(location.facts, with: "{\(reported.joined(separator: ", "))}\n")
    }
}
