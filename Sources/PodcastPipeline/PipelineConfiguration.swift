internal import LinuxSystem
public import Measurement
internal import YAMLDocument

/// The settings in a configuration file; nil where it gives none. Each has the name of its option, with underscores.
public struct PipelineConfiguration: Equatable, Sendable {
    /// `rss`, `rss_urls`: the feeds' addresses.
    public var feedURLs: [String] = []
    public var outputDirectory: String?
    public var maximumEpisodes: Int?
    public var offset: Int?
    public var order: EpisodeSelection.Order?
    public var since: Timestamp?
    public var until: Timestamp?
    public var monitor: Bool?
    /// Whether the heap is captured.
    public var memray: Bool?
    public var memrayOutput: String?
    public var modelDirectory: String?
    public var workers: Int?
    public var downloadAhead: Int?
    public var feedsParallel: Int?
    public var retries: Int?
    /// In mebibytes, of one download.
    public var maximumMediaMB: Int?
    /// In seconds, of one download.
    public var mediaTimeout: Int?
    public var transcripts: TranscriptUse?
    public var preset: AudioPreset?
    public var resumption: Resumption?
    public var isDryRun: Bool?
    public var allowsLocal: Bool?
    public var logFile: String?
    public var logFormat: String?
    public var isQuiet: Bool?

    /// No settings.
    public init() {}

    /// Its keys.
    public static let keys = [
        "rss", "rss_urls", "output_dir", "max_episodes", "offset", "order", "since", "until", "monitor",
        "memray",
        "memray_output", "model_dir", "workers", "download_ahead", "feeds_parallel", "retries",
        "max_media_mb", "media_timeout", "transcripts",
        "preset",
        "skip_existing", "resume", "dry_run", "allow_local", "log_file", "log_format", "quiet",
    ]

    /// Other spellings, those of the Python original among them.
    private static let aliases = [
        "rss_url": "rss", "feed": "rss", "feeds": "rss_urls", "output_directory": "output_dir",
        "model": "model_dir",
        "episode_order": "order", "episode_offset": "offset", "episode_since": "since",
        "episode_until": "until",
        "audio_preset": "preset",
    ]

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
            let place = error.key.flatMap { line(of: $0, in: bytes) }.map { ", line \($0)," } ?? ""
            throw PipelineFailure(
                .input, "The configuration '\(PlainText.sanitized(path))'\(place) \(error.phrase)")
        }
    }

    /// What is wrong with a configuration, as the rest of a sentence that begins with its name.
    package struct Problem: Error, Equatable {
        var phrase: String
        var key: String?
    }

    package static func parse(_ bytes: [UInt8]) throws(Problem) -> PipelineConfiguration {
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
            do throws(Problem) {
                try configuration.take(
                    Value(key: aliases[entry.key] ?? entry.key, written: entry.key, node: entry.value))
            } catch {
                throw Problem(phrase: error.phrase, key: entry.key)
            }
        }
        return configuration
    }

    private mutating func take(_ value: Value) throws(Problem) {
        switch value.key {
        case "rss": feedURLs.append(try value.text())
        case "rss_urls": feedURLs += try value.texts()
        case "output_dir": outputDirectory = try value.text()
        case "model_dir": modelDirectory = try value.text()
        case "memray_output": memrayOutput = try value.text()
        case "log_file": logFile = try value.text()
        case "log_format": logFormat = try value.word(among: ["text", "json"])
        case "max_episodes": maximumEpisodes = try value.count(from: 1)
        case "offset": offset = try value.count(from: 0)
        case "workers": workers = try value.count(from: 1, to: 64)
        case "download_ahead": downloadAhead = try value.count(from: 0, to: 64)
        case "feeds_parallel": feedsParallel = try value.count(from: 1, to: 16)
        case "retries": retries = try value.count(from: 0, to: 20)
        case "max_media_mb": maximumMediaMB = try value.count(from: 1, to: 100_000)
        case "media_timeout": mediaTimeout = try value.count(from: 1, to: 1_000_000)
        case "monitor": monitor = try value.flag()
        case "memray": memray = try value.flag()
        case "dry_run": isDryRun = try value.flag()
        case "allow_local": allowsLocal = try value.flag()
        case "quiet": isQuiet = try value.flag()
        case "resume": if try !value.flag() { resumption = .fresh }
        case "skip_existing": if try value.flag() { resumption = .skipExisting }
        case "since": since = try value.moment()
        case "until": until = try value.moment()
        case "order": order = try value.choice()
        case "transcripts": transcripts = try value.choice()
        case "preset": preset = try value.choice()
        default: throw Self.unknown(value.written)
        }
    }

    private static func unknown(_ key: String) -> Problem {
        let nearest = NearestName.to(key, among: keys).map { " Did you mean '\($0)'?" } ?? ""
        let shown = PlainText.sanitized(key, maximumCharacters: 64)
        return Problem(
            phrase: "has the unknown key '\(shown)'; known are \(keys.joined(separator: ", ")).\(nearest)")
    }

    /// The line on which a key stands, counted from 1.
    private static func line(of key: String, in bytes: [UInt8]) -> Int? {
        let lines = String(decoding: bytes, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return lines.firstIndex { line in
            let bare = line.drop { "\"' ".contains($0) }
            return bare.hasPrefix(key) && bare.dropFirst(key.count).drop { "\"' ".contains($0) }.first == ":"
        }.map { $0 + 1 }
    }
}

/// A value of a configuration, with the key by which it is known.
private struct Value {
    var key: String
    var written: String
    var node: YAMLNode

    private func problem(_ wanted: String) -> PipelineConfiguration.Problem {
        .init(phrase: "needs \(wanted) for '\(PlainText.sanitized(written, maximumCharacters: 64))'.")
    }

    func text() throws(PipelineConfiguration.Problem) -> String {
        guard let text = node.asText, !text.isEmpty else { throw problem("a text") }
        return text
    }

    func texts() throws(PipelineConfiguration.Problem) -> [String] {
        guard let list = node.asSequence else { throw problem("a list of texts") }
        let texts = list.compactMap(\.asText).filter { !$0.isEmpty }
        guard texts.count == list.count, !texts.isEmpty else { throw problem("a list of texts") }
        return texts
    }

    func flag() throws(PipelineConfiguration.Problem) -> Bool {
        guard let value = node.asBool else { throw problem("true or false") }
        return value
    }

    func count(from least: Int, to most: Int = .max) throws(PipelineConfiguration.Problem) -> Int {
        guard let count = node.asInteger.flatMap({ Int(exactly: $0) }), (least...most).contains(count) else {
            throw problem(
                most == .max
                    ? "a whole number above \(least == 1 ? "zero" : "or equal to \(least)")"
                    : "a whole number from \(least) to \(most)")
        }
        return count
    }

    func moment() throws(PipelineConfiguration.Problem) -> Timestamp {
        guard let moment = node.asText.flatMap(EpisodeSelection.moment) else {
            throw problem("a day such as 2026-02-03, or an ISO 8601 time,")
        }
        return moment
    }

    func word(among words: [String]) throws(PipelineConfiguration.Problem) -> String {
        guard let word = node.asText, words.contains(word) else {
            throw problem("one of \(words.joined(separator: ", "))")
        }
        return word
    }

    func choice<Choice: RawRepresentable & CaseIterable>() throws(PipelineConfiguration.Problem) -> Choice
    where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        guard let choice = Choice(rawValue: try word(among: names)) else { throw problem("another value") }
        return choice
    }
}
