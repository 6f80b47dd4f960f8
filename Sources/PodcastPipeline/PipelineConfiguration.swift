internal import LinuxSystem
internal import Measurement
internal import YAMLDocument

/// The settings in a configuration file; nil where it gives none.
public struct PipelineConfiguration: Equatable, Sendable {
    /// `rss`: the feed's address.
    public var feedURL: String?
    /// `output_dir`
    public var outputDirectory: String?
    /// `max_episodes`: above zero.
    public var maximumEpisodes: Int?
    /// `monitor`
    public var monitor: Bool?
    /// `memray`: whether the heap is captured.
    public var memray: Bool?
    /// `model_dir`
    public var modelDirectory: String?

    /// No settings.
    public init() {}

    /// Its keys.
    public static let keys = ["rss", "output_dir", "max_episodes", "monitor", "memray", "model_dir"]

    /// The settings in a YAML file: one mapping. A key that is not known is an error, for it is a spelling mistake.
    public static func read(_ path: String) throws(PipelineFailure) -> PipelineConfiguration {
        let bytes: [UInt8]
        do throws(Files.ReadError) {
            bytes = try Files.read(path, limit: 1 << 20)
        } catch {
            throw PipelineFailure(.input, PlainText.sanitized("\(error)"))
        }
        do throws(Problem) {
            return try parse(bytes)
        } catch {
            throw PipelineFailure(.input, "The configuration '\(PlainText.sanitized(path))' \(error.phrase)")
        }
    }

    /// What is wrong with a configuration, as the rest of a sentence that begins with its name.
    struct Problem: Error, Equatable {
        var phrase: String
    }

    static func parse(_ bytes: [UInt8]) throws(Problem) -> PipelineConfiguration {
        let document: YAMLNode
        do throws(YAMLError) {
            document = try YAMLDocument.parse(bytes)
        } catch {
            throw Problem(phrase: "is not YAML that is read here. \(PlainText.sanitized("\(error)"))")
        }
        var configuration = PipelineConfiguration()
        if document.isNull { return configuration }
        guard let mapping = document.asMapping else {
            throw Problem(phrase: "must be a mapping of keys to values, such as 'max_episodes: 2'.")
        }
        for entry in mapping.entries {
            switch entry.key {
            case "rss": configuration.feedURL = try text(entry)
            case "output_dir": configuration.outputDirectory = try text(entry)
            case "model_dir": configuration.modelDirectory = try text(entry)
            case "max_episodes":
                guard let count = entry.value.asInteger.flatMap({ Int(exactly: $0) }), count > 0 else {
                    throw Problem(phrase: "needs a whole number above zero for 'max_episodes'.")
                }
                configuration.maximumEpisodes = count
            case "monitor": configuration.monitor = try flag(entry)
            case "memray": configuration.memray = try flag(entry)
            default:
                let key = PlainText.sanitized(entry.key, maximumCharacters: 64)
                let nearest = NearestName.to(entry.key, among: keys).map { " Did you mean '\($0)'?" } ?? ""
                throw Problem(
                    phrase:
                        "has the unknown key '\(key)'; known are \(keys.joined(separator: ", ")).\(nearest)")
            }
        }
        return configuration
    }

    private static func flag(_ entry: YAMLMapping.Entry) throws(Problem) -> Bool {
        guard let value = entry.value.asBool else {
            throw Problem(phrase: "needs true or false for '\(entry.key)'.")
        }
        return value
    }

    private static func text(_ entry: YAMLMapping.Entry) throws(Problem) -> String {
        guard let text = entry.value.asText, !text.isEmpty else {
            throw Problem(phrase: "needs a text for '\(entry.key)'.")
        }
        return text
    }
}
